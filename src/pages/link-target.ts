/**
 * The last check of an address before a page links to it.
 *
 * @module
 */

/** Schemes that run or read something in the place of this page instead of leaving it. */
const NEVER_LINKED: ReadonlySet<string> = new Set([
  'javascript:',
  'vbscript:',
  'data:',
  'blob:',
  'file:',
  'filesystem:',
])

/**
 * The address unchanged, absolute or relative to this page. Addresses are verified where they enter; this refuses what
 * no caller can mean (threat T16), read as a browser reads it.
 * @throws TypeError for an address that is none, or whose scheme is never linked
 */
export function linkTarget(address: string): string {
  const { protocol } = new URL(address, 'https://page.invalid')
  if (NEVER_LINKED.has(protocol)) throw new TypeError(`a page never links to ${protocol}`)
  return address
}

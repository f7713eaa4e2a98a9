/**
 * The last check of an address before a page links to it.
 *
 * @module
 */

/** Schemes that run or read something in this page instead of leaving it. */
const NEVER_LINKED: ReadonlySet<string> = new Set([
  'javascript:',
  'vbscript:',
  'data:',
  'blob:',
  'file:',
  'filesystem:',
])

/**
 * The address unchanged, absolute or relative to this page. Addresses are verified where they enter; this refuses
 * schemes that no caller can mean (threat T16), and reads the address as a browser does.
 * @throws TypeError for an address that cannot be parsed, or whose scheme is never linked
 */
export function linkTarget(address: string): string {
  const { protocol } = new URL(address, 'https://page.invalid')
  if (NEVER_LINKED.has(protocol)) throw new TypeError(`a page never links to ${protocol}`)
  return address
}

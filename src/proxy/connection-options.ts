/**
 * What a sender keeps to one hop by naming it in `Connection` (RFC 9110 section 7.6.1).
 *
 * @module
 */

/**
 * @param rawHeaders a flat list of names and values
 * @returns header names in lower case
 */
export function connectionOptions(rawHeaders: readonly string[]): Set<string> {
  const named = new Set<string>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'connection') continue
    for (const name of (rawHeaders[i + 1] ?? '').split(',')) named.add(name.trim().toLowerCase())
  }
  return named
}

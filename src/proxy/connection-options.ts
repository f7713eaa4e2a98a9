/**
 * The headers that a sender limits to one hop by naming them in `Connection` (RFC 9110 section 7.6.1).
 *
 * @module
 */

const CONNECTION = 'connection'

/**
 * @param rawHeaders a flat list of names and values
 * @returns header names in lower case; undefined if there are none
 */
export function connectionOptions(rawHeaders: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] ?? ''
    if (header.length !== CONNECTION.length || header.toLowerCase() !== CONNECTION) continue
    named ??= new Set()
    for (const name of (rawHeaders[i + 1] ?? '').split(',')) named.add(name.trim().toLowerCase())
  }
  return named
}

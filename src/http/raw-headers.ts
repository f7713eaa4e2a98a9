/**
 * Picks headers out of a request's raw header list in one pass. Node's own `headers` object keeps only the first
 * of several `Authorization` lines and joins others with commas, so a doubled header cannot be seen there.
 *
 * @module
 */

/** Stands for a header that arrived on more than one line, where only one is allowed. */
export const DOUBLED = Symbol('doubled header')

export type HeaderValue = string | undefined | typeof DOUBLED

/**
 * Compiles a reader for the named headers.
 * @param names lower-case names; the answer holds their values in this order
 * @returns a function from `rawHeaders` to the values: undefined if absent, {@link DOUBLED} if on several lines.
 *   Several `cookie` lines are one list (RFC 9113 section 8.2.3) and are joined.
 */
export function headerReader<const Names extends readonly string[]>(
  names: Names,
): (rawHeaders: readonly string[]) => { [I in keyof Names]: HeaderValue } {
  const byLength: { name: string; index: number }[][] = []
  names.forEach((name, index) => {
    byLength[name.length] = [...(byLength[name.length] ?? []), { name, index }]
  })
  return (rawHeaders) => {
    const values: HeaderValue[] = new Array(names.length).fill(undefined)
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const rawName = rawHeaders[i] ?? ''
      const candidates = byLength[rawName.length]
      if (!candidates) continue
      const name = rawName.toLowerCase()
      for (const candidate of candidates) {
        if (candidate.name !== name) continue
        const before = values[candidate.index]
        const value = rawHeaders[i + 1]
        if (before === undefined) values[candidate.index] = value
        else if (name === 'cookie') values[candidate.index] = `${String(before)}; ${value}`
        else values[candidate.index] = DOUBLED
      }
    }
    // The loop above fills one slot for each name, in the order of `names`: the cast says no more.
    return values as { [I in keyof Names]: HeaderValue }
  }
}

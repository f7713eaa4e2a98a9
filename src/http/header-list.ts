/**
 * Flat header lists: names and values in turn, as Node reads and writes them.
 *
 * @module
 */

/** The lines whose name `keeps` accepts, in the same order. */
export function filterHeaders(
  headers: readonly string[],
  keeps: (name: string) => boolean,
): string[] {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (keeps(name)) kept.push(name, headers[i + 1] ?? '')
  }
  return kept
}

/** Every value of a header, line by line. @param name in lower case */
export function valuesOf(headers: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const written = headers[i] ?? ''
    if (written.length === name.length && written.toLowerCase() === name) {
      values.push(headers[i + 1] ?? '')
    }
  }
  return values
}

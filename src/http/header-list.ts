/**
 * Flat header lists: names and values in turn, as Node reads and writes them.
 *
 * @module
 */

/** The lines whose name `keeps` accepts, in the same order. */
export function filterHeaders(
  headers: readonly string[],
  keeps: (name: string) => boolean,
): readonly string[] {
  return headers.filter((_text, index) => keeps(headers[index - (index % 2)] ?? ''))
}

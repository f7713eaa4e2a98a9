/**
 * The results of `npm run verify`, and their summary.
 *
 * @module
 */

/** The result of a part of the run: a program that the tests need, a check, or a tier of tests. */
export interface Result {
  readonly name: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** A line for each failure, with its reason. */
  readonly notes: readonly string[]
}

/** The counts of all parts together. */
export function total(results: readonly Result[]) {
  const sum = (count: (result: Result) => number) =>
    results.reduce((before, result) => before + count(result), 0)
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
  }
}

/**
 * A line for each part, its notes below it, and at the end `N passed, N failed`, with `, N skipped` if there are any.
 */
export function summary(results: readonly Result[]): string {
  const lines = results.flatMap(({ name, passed, failed, skipped, notes }) => [
    `${name.padEnd(18)} ${counts({ passed, failed, skipped })}`,
    ...notes.map((note) => `  ${failed > 0 ? 'FAILED' : 'note'}  ${note}`),
  ])
  return [...lines, '', counts(total(results))].join('\n')
}

function counts({ passed, failed, skipped }: { passed: number; failed: number; skipped: number }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

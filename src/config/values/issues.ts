/**
 * Parses a value by its schema and reports each issue as a problem of the setting concerned.
 *
 * @module
 */
import type * as z from 'zod'
import { cameAlongBelow } from './came-along.ts'
import type { Report } from './problem.ts'
import { didYouMean } from './suggest.ts'

export interface Naming {
  readonly report: Report
  /** The name by which problems call the value at this path. */
  label(path: readonly PropertyKey[]): string
  /** The names that the map at this path may have. */
  keys(path: readonly PropertyKey[]): readonly string[]
  /** The texts were looked at before: some of them come from files, where quotes are part of them. */
  readonly checked?: true
}

/** Names of values below `at`. A problem quotes the entry of a list, so its index is left out. */
export const labelBelow =
  (at: string): Naming['label'] =>
  (path) =>
    [at, ...path.filter((key) => typeof key !== 'number')].join('.')

/** @returns the parsed value, or the top-level names with problems (none if the value as a whole has one) */
export function parseWith<T>(
  schema: z.ZodType<T>,
  value: unknown,
  { report, label, keys, checked }: Naming,
): { value: T } | { broken: readonly string[] } {
  const along = checked ? [] : [...cameAlongBelow(value)]
  for (const { path, problem } of along) report.problem(label(path), problem)
  const parsed = schema.safeParse(value)
  if (parsed.success) {
    return along.length === 0 ? { value: parsed.data } : { broken: topsOf(along) }
  }
  for (const issue of parsed.error.issues) {
    // The parser says less about a text that is in quotes.
    if (along.some(({ path }) => path.join() === issue.path.join())) continue
    if (issue.code !== 'unrecognized_keys') {
      report.problem(label(issue.path), issue.message)
      continue
    }
    for (const key of issue.keys) {
      report.problem(
        label([...issue.path, key]),
        `is not a setting. ${didYouMean(key, keys(issue.path), 'Remove it; docs/configuration.md lists all settings.')}`,
      )
    }
  }
  return { broken: topsOf([...along, ...parsed.error.issues]) }
}

const topsOf = (found: readonly { path: readonly PropertyKey[] }[]) =>
  found.flatMap(({ path }) => path.slice(0, 1).map(String))

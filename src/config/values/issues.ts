/**
 * Parses a value by its schema and reports each issue as a problem of the setting it is about.
 *
 * @module
 */
import type * as z from 'zod'
import type { Report } from './problem.ts'
import { didYouMean } from './suggest.ts'

export interface Naming {
  readonly report: Report
  /** How problems call what stands at this path. */
  label(path: readonly PropertyKey[]): string
  /** The names that the map at this path knows. */
  keys(path: readonly PropertyKey[]): readonly string[]
}

/** The parsed value, or the top-level names that have problems (none: the value as a whole has). */
export function parseWith<T>(
  schema: z.ZodType<T>,
  value: unknown,
  { report, label, keys }: Naming,
): { value: T } | { broken: readonly string[] } {
  const parsed = schema.safeParse(value)
  if (parsed.success) return { value: parsed.data }
  for (const issue of parsed.error.issues) {
    if (issue.code !== 'unrecognized_keys') {
      report.problem(label(issue.path), issue.message)
      continue
    }
    for (const key of issue.keys) {
      report.problem(
        label([...issue.path, key]),
        `is not a setting. ${didYouMean(key, keys(issue.path), 'Remove it; docs/configuration.md lists all there are.')}`,
      )
    }
  }
  return { broken: parsed.error.issues.flatMap(({ path }) => path.slice(0, 1).map(String)) }
}

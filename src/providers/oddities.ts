/**
 * Parts of a provider's answers that are not as they should be, and that nobody's identity depends on: each is left
 * out, and the log says so.
 *
 * @module
 */

/** Gets a part that was tolerated, in words without the provider's own values. */
export type ReportOddity = (what: string) => void

const INTERVAL_MS = 60_000
const MAX_KNOWN = 100

/**
 * Passes the same words on once a minute: each person who signs in may bring them.
 * @param deps `now` in milliseconds since the epoch
 */
export function createOddities(deps: { report: ReportOddity; now: () => number }): ReportOddity {
  const known = new Map<string, number>()
  return (what) => {
    const before = known.get(what)
    if (before !== undefined && Math.abs(deps.now() - before) < INTERVAL_MS) return
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(what, deps.now())
    deps.report(what)
  }
}

/** The kind of a JSON value, as the predicate of a sentence. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (value === '') return 'empty'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

export const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** The value, or undefined if the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

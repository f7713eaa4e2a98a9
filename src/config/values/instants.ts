/**
 * Points in time as people write them.
 *
 * @module
 */
import { InvalidValue } from './problem.ts'

const INSTANT =
  /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/i

/**
 * Reads `2026-01-01` (its first moment in UTC), `2026-01-01T12:00:00+02:00`, or seconds since the epoch.
 * @returns whole seconds since the epoch, rounded up
 * @throws InvalidValue for anything else, and for a time without a zone, which would differ from machine to machine
 */
export function parseInstant(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value)
  const date = INSTANT.exec(value.replace(' ', 'T'))?.[1]
  const time = date === undefined ? Number.NaN : Date.parse(value.replace(' ', 'T').toUpperCase())
  if (Number.isNaN(time) || !isDate(date ?? '')) {
    throw new InvalidValue(
      'is not a point in time. Write it like 2026-01-31, 2026-01-31T12:00:00Z or 2026-01-31T12:00:00+02:00.',
    )
  }
  return Math.ceil(time / 1000)
}

/** `Date.parse` takes February 31 for March 3. */
function isDate(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date)
}

/**
 * Spans of time as people write them.
 *
 * @module
 */
import { InvalidValue } from './problem.ts'

/** Each unit in seconds. A number without a unit is seconds. */
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/**
 * A parser for `90s`, `15m`, `1h`, `30d`, `2w` or a plain number of seconds.
 * @param bounds the shortest and longest duration allowed, in the same notation
 */
export function duration(bounds: { min: string; max: string }): (value: string) => number {
  const min = seconds(bounds.min)
  const max = seconds(bounds.max)
  return (value) => {
    const found = seconds(value)
    if (found < min || found > max) {
      throw new InvalidValue(
        `is out of bounds. Write a duration from ${bounds.min} to ${bounds.max}.`,
      )
    }
    return found
  }
}

/** As {@link duration}, or `never`. */
export function durationOrNever(bounds: {
  min: string
  max: string
}): (value: string) => number | 'never' {
  const parse = duration(bounds)
  // 0 is what other systems write for it; nothing could last no time.
  return (value) => (value === 'never' || /^0[smhdw]?$/.test(value) ? 'never' : parse(value))
}

function seconds(value: string): number {
  const parts = /^(\d{1,12})([smhdw]?)$/.exec(value)
  if (!parts) {
    throw new InvalidValue('is not a duration. Write it like 90s, 15m, 1h, 30d or 2w.')
  }
  return Number(parts[1]) * (UNITS[parts[2] ?? ''] ?? 1)
}

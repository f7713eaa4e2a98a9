/**
 * Spans of time as people write them.
 *
 * @module
 */
import { InvalidValue } from './problem.ts'

/** Each unit in milliseconds. A number without a unit is seconds. */
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const PART = /(\d{1,12}(?:\.\d{1,6})?)(ms|[smhdw])/g

/**
 * A parser for `90s`, `15m`, `1h`, `30d`, `2w`, a plain number of seconds, or parts of these in one, as Go programs print
 * them: `1h30m`, `720h0m0s`, `1.5h`.
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
  return (value) => (value === 'never' || seconds(value) === 0 ? 'never' : parse(value))
}

function seconds(value: string): number {
  if (/^\d{1,12}$/.test(value)) return Number(value)
  const parts = [...value.matchAll(PART)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== value) {
    throw new InvalidValue('is not a duration. Write it like 90s, 15m, 1h, 30d or 2w.')
  }
  const milliseconds = parts.reduce(
    (sum, [, amount, unit = '']) => sum + Number(amount) * (UNITS[unit] ?? 0),
    0,
  )
  // Rounded: 1.1 hours are no whole number of milliseconds in binary.
  const whole = Math.round(milliseconds) / 1000
  if (!Number.isInteger(whole)) {
    throw new InvalidValue('is no whole number of seconds. Write it like 90s, 15m or 1h30m.')
  }
  return whole
}

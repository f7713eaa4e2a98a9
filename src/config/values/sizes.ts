/**
 * Sizes as people write them.
 *
 * @module
 */
import { InvalidValue } from './problem.ts'

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/**
 * A parser for `65536`, `64k`, `64KiB`, `10MB` or `1g`, in bytes; a unit is a power of 1024.
 * @param bounds the smallest and largest size allowed, in the same notation
 */
export function size(bounds: { min: string; max: string }): (value: string) => number {
  const min = bytes(bounds.min)
  const max = bytes(bounds.max)
  return (value) => {
    const found = bytes(value)
    if (found < min || found > max) {
      throw new InvalidValue(`is out of bounds. Write a size from ${bounds.min} to ${bounds.max}.`)
    }
    return found
  }
}

function bytes(value: string): number {
  const parts = /^(\d{1,12})\s*(?:([kmg])(?:i?b)?|b)?$/i.exec(value)
  if (!parts) throw new InvalidValue('is not a size. Write it like 65536, 64k, 10m or 1g.')
  return Number(parts[1]) * (UNITS[(parts[2] ?? '').toLowerCase()] ?? 1)
}

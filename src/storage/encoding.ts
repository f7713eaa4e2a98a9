/**
 * The encoding that all adapters share: a value as canonical JSON text, a lifetime as a time of expiry.
 *
 * @module
 */
import type { Lifetime } from './storage.ts'

/**
 * The canonical JSON text of a value: members sorted by name, undefined ones dropped. Equal values have equal texts,
 * so `replace` compares texts, and a value read back is a copy by construction.
 * @throws {TypeError} for what JSON cannot hold (undefined, a function, a bigint, a cycle)
 */
export function canonicalJson(value: unknown): string {
  // `fromEntries` defines members where an assignment would run the setter of `__proto__`.
  const text = JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )
  if (text === undefined) throw new TypeError('only a JSON value can be stored')
  return text
}

/**
 * A lifetime in milliseconds; undefined for `'forever'`.
 * @throws {RangeError} unless it is positive and finite: a record that is gone at once, or that never expires because
 *   its expiry is NaN, would silently disable a single-use gate
 */
export function lifetimeMs(ttlSeconds: Lifetime): number | undefined {
  if (ttlSeconds === 'forever') return undefined
  if (!(ttlSeconds > 0 && Number.isFinite(ttlSeconds))) {
    throw new RangeError(`a lifetime is a positive number of seconds, not ${ttlSeconds}`)
  }
  return Math.ceil(ttlSeconds * 1000)
}

/**
 * The first moment (milliseconds since the epoch) at which a record is absent; Infinity for `'forever'`.
 * @throws {RangeError} as {@link lifetimeMs}
 */
export function expiryOf(nowMs: number, ttlSeconds: Lifetime): number {
  return nowMs + (lifetimeMs(ttlSeconds) ?? Number.POSITIVE_INFINITY)
}

/**
 * The encoding that all adapters share: a value as canonical JSON text, a lifetime as a time of expiry.
 *
 * @module
 */
import type { Lifetime } from './storage.ts'

/** Records of ours nest a few levels; only a cycle gets here. */
const DEEPEST = 100

/**
 * The canonical JSON text of a value: members sorted by name, undefined ones dropped. Equal values have equal texts,
 * so `replace` compares texts, and a value read back is a copy by construction.
 * @throws {TypeError} for what JSON cannot hold (undefined, a function, a bigint, a cycle)
 */
export function canonicalJson(value: unknown): string {
  const text = JSON.stringify(inOrder(value, 0))
  if (text === undefined) throw new TypeError('only a JSON value can be stored')
  return text
}

/**
 * The value with its members sorted by name; the value itself where they are sorted, as those of each record that was
 * read from a store. `JSON.stringify` with a function for this takes several times as long.
 */
function inOrder(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) throw new TypeError('the value is nested too deeply to be stored')
  if (Array.isArray(value)) {
    const members = value.map((member) => inOrder(member, depth + 1))
    return members.every((member, at) => member === value[at]) ? value : members
  }
  const members: [string, unknown][] = []
  let isSame = true
  let last = ''
  for (const [name, member] of Object.entries(value)) {
    const ordered = inOrder(member, depth + 1)
    isSame &&= last <= name && ordered === member
    last = name
    members.push([name, ordered])
  }
  if (isSame) return value
  // `fromEntries` defines members where an assignment would run the setter of `__proto__`.
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)))
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

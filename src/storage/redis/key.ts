/**
 * The form of keys in Redis: our prefix, then text that an operator can read.
 *
 * @module
 */

/** The prefix of all our keys and channels. */
export const PREFIX = 'gw:'

/**
 * The Redis key of a storage key. UTF-8 has no lone surrogates: they are written as `\ud800`, and so is the backslash,
 * so that two keys never collide.
 */
export function encodeKey(key: string): string {
  return PREFIX + key.replace(/[\\\ud800-\udfff]/gu, escapeUnit)
}

/** The storage key of a Redis key. */
export function decodeKey(encoded: string): string {
  return encoded
    .slice(PREFIX.length)
    .replace(/\\u([0-9a-f]{4})/g, (_, unit: string) =>
      String.fromCharCode(Number.parseInt(unit, 16)),
    )
}

/** A pattern of `SCAN` that matches the keys with this prefix (and, after half a surrogate pair, some others too). */
export function scanPattern(prefix: string): string {
  // Half a surrogate pair is the beginning of a whole one, which has another encoding.
  const whole = prefix.replace(/[\ud800-\udbff]$/, '')
  return `${encodeKey(whole).replace(/[*?[\]\\^-]/g, '\\$&')}*`
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/**
 * The names of keys and channels in Redis: a prefix, then text that an operator can read.
 *
 * @module
 */

/** The prefix of all our keys and channels, unless the operator names another. */
export const DEFAULT_PREFIX = 'gw:'

export interface RedisNames {
  /** Begins every name. */
  readonly prefix: string
  /**
   * The Redis key of a storage key. UTF-8 has no lone surrogates: they are written as `\ud800`, and so is the backslash,
   * so that two keys never collide.
   */
  encode(key: string): string
  /** The storage key of a Redis key. */
  decode(encoded: string): string
  /** A pattern of `SCAN` that matches the keys with this beginning (and, after half a surrogate pair, some others too). */
  pattern(beginning: string): string
  /** The channel that announces ids of changed grants. */
  readonly changes: string
  /** The channel of a process's heartbeats. */
  beats(id: string): string
}

/** @param prefix of `REDIS_KEY_PREFIX`; two deployments with different prefixes share nothing */
export function createNames(prefix: string = DEFAULT_PREFIX): RedisNames {
  const encode = (key: string) => prefix + key.replace(/[\\\ud800-\udfff]/gu, escapeUnit)
  return {
    prefix,
    encode,
    decode: (encoded) =>
      encoded
        .slice(prefix.length)
        .replace(/\\u([0-9a-f]{4})/g, (_, unit: string) =>
          String.fromCharCode(Number.parseInt(unit, 16)),
        ),
    pattern(beginning) {
      // Half a surrogate pair is the beginning of a whole one, which has another encoding.
      const whole = beginning.replace(/[\ud800-\udbff]$/, '')
      return `${encode(whole).replace(/[*?[\]\\^-]/g, '\\$&')}*`
    },
    changes: `${prefix}changes`,
    beats: (id) => `${prefix}beat:${id}`,
  }
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/**
 * `REDIS_KEY_PREFIX`: the beginning of all names of ours in Redis.
 *
 * @module
 */
import { InvalidValue, quote } from './problem.ts'

/** A tag in braces keeps all keys on one node of a cluster; the rest is what patterns of an ACL take literally. */
const FORM = /^[A-Za-z0-9_.:-]*(?:\{[A-Za-z0-9_.:-]+\})?[A-Za-z0-9_.:-]*$/
const MAX_LENGTH = 64

/** @throws InvalidValue for a prefix that another could begin with, or that a pattern would read in another way */
export function parseRedisKeyPrefix(value: string): string {
  if (!FORM.test(value) || value.length > MAX_LENGTH) {
    throw new InvalidValue(
      `${quote(value)} is no prefix of keys. Use up to ${MAX_LENGTH} letters, digits, dots, hyphens and colons, and at most one tag in braces, such as gw-staging: or {gw}:.`,
    )
  }
  if (!value.endsWith(':')) {
    throw new InvalidValue(
      `${quote(value)} does not end in a colon, so it could begin the keys of another program. Write ${value}:.`,
    )
  }
  return value
}

/**
 * The hash of a password, as `gatewarden hash-password` prints it.
 *
 * @module
 */
import { InvalidValue } from './problem.ts'

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/

/** The fix of every problem with a hash. */
export const MAKE_HASH = 'Make one with: gatewarden hash-password.'

/**
 * @throws InvalidValue unless `value` is an argon2id PHC string, neither weak (OWASP's minimum is 7 MiB) nor so costly
 *   that it stops the process
 */
export function parsePasswordHash(value: string): string {
  const parts = PHC.exec(value)
  if (!parts) throw new InvalidValue(`is not an argon2id hash. ${MAKE_HASH}`)
  const [memory = 0, passes = 0, lanes = 0] = parts.slice(1).map(Number)
  if (memory < 7168) throw new InvalidValue(`was made with less than 7 MiB of memory. ${MAKE_HASH}`)
  if (memory > 1_048_576)
    throw new InvalidValue(`was made with more than 1 GiB of memory. ${MAKE_HASH}`)
  if (passes < 1 || passes > 64 || lanes < 1 || lanes > 64) {
    throw new InvalidValue(`was made with parameters out of bounds. ${MAKE_HASH}`)
  }
  return value
}

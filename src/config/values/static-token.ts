/**
 * Parses a static token as an environment variable holds it: `name:token` or a bare token.
 *
 * @module
 */
import { InvalidValue } from './problem.ts'

/**
 * `name:token`, or a token alone.
 * @throws InvalidValue for what is neither; the text may be a secret throughout and is never repeated
 */
export function parseFlatToken(value: string): FlatToken {
  const colon = value.indexOf(':')
  if (colon === -1) return { token: parseStaticToken(value) }
  // The token first: of two parts in the wrong order the name would be the secret.
  const token = parseStaticToken(value.slice(colon + 1))
  const name = value.slice(0, colon)
  if (!isName(name)) throw new InvalidValue(`has a name that is none. ${NAME_RULE}`)
  return { name, token }
}

/** A token as one entry of the flat list says it. */
export interface FlatToken {
  /** Absent for a bare token. */
  readonly name?: string
  readonly token: string
}

/** @throws InvalidValue unless `value` is a long b64token (RFC 6750 section 2.1); never says what it is */
export function parseStaticToken(value: string): string {
  if (value.length < MIN_LENGTH) {
    throw new InvalidValue(
      `holds a token of ${value.length} characters, and ${MIN_LENGTH} are the least. ${MAKE_ONE}`,
    )
  }
  if (value.length > MAX_LENGTH || !/^[A-Za-z0-9\-._~+/]+=*$/.test(value)) {
    throw new InvalidValue(
      `holds a token that no Authorization header carries: only letters, digits and - . _ ~ + / and = at its end. ${MAKE_ONE}`,
    )
  }
  return value
}

export const NAME_RULE = 'Use 1 to 64 letters, digits, dots, dashes and underscores.'

export const isName = (name: string) => /^[A-Za-z0-9._-]{1,64}$/.test(name)

export const MIN_LENGTH = 32

export const MAX_LENGTH = 1024

export const MAKE_ONE = 'Make one with: openssl rand -hex 32.'

/**
 * Parses a static token as an environment variable holds it: `name:token` or a bare token.
 *
 * @module
 */
import { InvalidValue } from './problem.ts'

/**
 * `name:token`, or a token alone.
 * @throws InvalidValue for anything else, without the text: any part of it may be a secret
 */
export function parseFlatToken(value: string): FlatToken {
  const colon = value.indexOf(':')
  if (colon === -1) return { token: parseStaticToken(value) }
  // Parse the token first: if the parts are swapped, the name is the secret.
  const token = parseStaticToken(value.slice(colon + 1))
  const name = value.slice(0, colon)
  if (!isName(name)) throw new InvalidValue(`has an invalid name. ${NAME_RULE}`)
  return { name, token }
}

/** An entry of the flat list. */
export interface FlatToken {
  /** Absent for a bare token. */
  readonly name?: string
  readonly token: string
}

/** @throws InvalidValue, without the value, unless it is a b64token (RFC 6750 section 2.1) of enough characters */
export function parseStaticToken(value: string): string {
  if (value.length < MIN_LENGTH) {
    throw new InvalidValue(
      `holds a token of ${value.length} characters; the minimum is ${MIN_LENGTH}. ${MAKE_ONE}`,
    )
  }
  if (value.length > MAX_LENGTH || !/^[A-Za-z0-9\-._~+/]+=*$/.test(value)) {
    throw new InvalidValue(
      `holds a token that an Authorization header cannot carry: use letters, digits and - . _ ~ + / with = only at the end. ${MAKE_ONE}`,
    )
  }
  return value
}

/** `u_`, `c_` and `s_` begin our own ids of people, clients and tokens. */
export const NAME_RULE =
  'Use 1 to 64 letters, digits, dots, dashes and underscores, and do not begin with u_, c_ or s_.'

export const isName = (name: string) => /^(?![ucs]_)[A-Za-z0-9._-]{1,64}$/i.test(name)

const MIN_LENGTH = 32

export const MAX_LENGTH = 1024

export const MAKE_ONE = 'Make one with: openssl rand -hex 32.'

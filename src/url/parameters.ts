/**
 * Request parameters of the OAuth endpoints, from a query or a form body, read strictly.
 *
 * @module
 */
import { OAuthError } from '../errors.ts'

/** Every value of every parameter, in order. */
export type Parameters = ReadonlyMap<string, readonly string[]>

const CONTROL = /\p{Cc}/u
/** More than any of our requests needs, even with a repeated `resource`. */
const MAX_PARAMETERS = 200
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Parses `application/x-www-form-urlencoded` text or bytes.
 * @throws OAuthError `invalid_request` if the input is not UTF-8, not percent-encoded or has too many parameters
 */
export function parseParameters(encoded: string | Uint8Array): Parameters {
  const parameters = new Map<string, string[]>()
  try {
    const text = typeof encoded === 'string' ? encoded : utf8.decode(encoded)
    const pairs = text.split('&', MAX_PARAMETERS + 1)
    if (pairs.length > MAX_PARAMETERS) throw new RangeError('too many parameters')
    for (const pair of pairs) {
      if (pair === '') continue
      const equals = pair.indexOf('=')
      const name = decode(equals === -1 ? pair : pair.slice(0, equals))
      const value = equals === -1 ? '' : decode(pair.slice(equals + 1))
      const values = parameters.get(name)
      // Push, never copy: the work stays linear in the input of a stranger.
      if (values) values.push(value)
      else parameters.set(name, [value])
    }
  } catch (cause) {
    throw new OAuthError(
      'invalid_request',
      'the parameters are too many or not form-encoded UTF-8',
      {
        cause,
      },
    )
  }
  return parameters
}

const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))

/**
 * The value of a parameter that may occur once. An empty value counts as absent (OAuth 2.1 section 3.1).
 * @throws OAuthError `invalid_request` if the parameter is repeated or holds control characters
 */
export function single(parameters: Parameters, name: string): string | undefined {
  const values = parameters.get(name)
  if (!values) return undefined
  if (values.length > 1) throw new OAuthError('invalid_request', `${name} occurs more than once`)
  return clean(name, values[0])
}

/** The values of a parameter that may repeat, such as `resource` (RFC 8707 section 2); empty values are left out. */
export function several(parameters: Parameters, name: string): string[] {
  return (parameters.get(name) ?? []).flatMap((value) => clean(name, value) ?? [])
}

/** Like {@link single}. @throws OAuthError `invalid_request` also if the parameter is missing */
export function required(parameters: Parameters, name: string): string {
  const value = single(parameters, name)
  if (value === undefined) throw new OAuthError('invalid_request', `${name} is missing`)
  return value
}

function clean(name: string, value: string | undefined): string | undefined {
  if (value !== undefined && CONTROL.test(value)) {
    throw new OAuthError('invalid_request', `${name} holds control characters`)
  }
  return value === '' ? undefined : value
}

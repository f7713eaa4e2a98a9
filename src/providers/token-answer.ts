/**
 * Makes a token answer readable for openid-client, which is stricter than providers are, where nobody's identity
 * depends on it. The ID token of the answer may be changed for openid-client's comparisons; the original stays beside
 * it, since only the original has a valid signature.
 *
 * @module
 */
import type { CustomFetchOptions } from 'openid-client'
import { z } from 'zod'
import { isText, kindOf, parseJson, type ReportOddity } from './oddities.ts'
import { ProviderFailure } from './provider.ts'

type Fetch = (address: string, options: CustomFetchOptions) => Promise<Response>

/** The member of a token answer that holds the original; a value of the provider under this name is overwritten. */
export const ORIGINAL_ID_TOKEN = 'gatewarden_original_id_token'

const JsonObject = z.record(z.string(), z.unknown())
type Json = z.infer<typeof JsonObject>

interface Spelling {
  readonly issuer: string
  /**
   * True for another `iss` of an ID token that counts as the issuer, since openid-client compares `iss` exactly: Google may
   * leave the scheme out, and Entra names the tenant of the person.
   */
  isAlias?(iss: unknown): boolean
}

/** @returns a fetch that tidies token answers, and changes nothing else. Rejects with ProviderFailure for an encrypted ID token */
export function tidyTokenAnswers(
  deps: Spelling & { readonly fetch: Fetch; readonly tolerated: ReportOddity },
): Fetch {
  return async (address, options) => {
    const response = await deps.fetch(address, options)
    const isTokenRequest = options.body instanceof URLSearchParams && options.body.has('grant_type')
    if (!isTokenRequest || !response.ok) return response
    const given = JsonObject.safeParse(parseJson(await response.clone().text()))
    if (!given.success) return response
    const { answer, odd } = tidy(given.data, deps)
    if (odd.length > 0) deps.tolerated(`the token answer: ${odd.join(', ')}`)
    const { status, headers } = response
    return new Response(JSON.stringify(answer), { status, headers })
  }
}

function tidy(given: Json, spelling: Spelling): { answer: Json; odd: readonly string[] } {
  const answer = { ...given }
  const odd: string[] = []
  const correct = (name: string, isGood: (value: unknown) => boolean, better: unknown) => {
    if (!(name in given) || isGood(given[name])) return
    odd.push(`${name} is ${kindOf(given[name])}`)
    if (better === undefined) delete answer[name]
    else answer[name] = better
  }
  correct('token_type', isText, 'Bearer')
  correct('expires_in', isSpan, undefined)
  correct('refresh_token', isText, undefined)
  correct('scope', (scope) => typeof scope === 'string', joined(given.scope))
  if (isText(given.id_token)) {
    const { idToken, odd: oddClaims } = tidyIdToken(given.id_token, spelling)
    answer.id_token = idToken
    odd.push(...oddClaims)
  }
  answer[ORIGINAL_ID_TOKEN] = given.id_token
  return { answer, odd }
}

/** `auth_time` is left out unless it is a time: a caller that needs it then misses it. */
function tidyIdToken(
  original: string,
  { issuer, isAlias: isOther }: Spelling,
): { idToken: string; odd: readonly string[] } {
  const [header, payload = '', signature, ...more] = original.split('.')
  // RFC 7516 section 9: five parts. No key of ours could open it.
  if (more.length === 2) {
    throw new ProviderFailure(
      'failed',
      'the ID token is encrypted, which Gatewarden cannot read: let the provider sign it alone (id_token_encrypted_response_alg of the client)',
    )
  }
  const parsed = JsonObject.safeParse(parseJson(Buffer.from(payload, 'base64url').toString()))
  if (!parsed.success) return { idToken: original, odd: [] }
  const claims = { ...parsed.data }
  const odd: string[] = []
  if (claims.nbf === null) odd.push('nbf')
  if ('auth_time' in claims && !isTime(claims.auth_time)) odd.push('auth_time')
  const isAlias = isOther?.(claims.iss) ?? false
  if (odd.length === 0 && !isAlias) return { idToken: original, odd }
  const words = odd.map((name) => `${name} of the ID token is ${kindOf(claims[name])}`)
  for (const name of odd) delete claims[name]
  if (isAlias) claims.iss = issuer
  const spelled = Buffer.from(JSON.stringify(claims)).toString('base64url')
  return { idToken: `${header}.${spelled}.${signature}`, odd: words }
}

const isTime = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0
const isSpan = (value: unknown) =>
  isTime(value) || (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value))

const joined = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every(isText) ? value.join(' ') : undefined

/**
 * Authenticates a client by a JWT that it signed: `private_key_jwt` (RFC 7523 section 3, with the audience rules of its
 * revision, draft-ietf-oauth-rfc7523bis).
 *
 * @module
 */
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { z } from 'zod'
import { OAuthError } from '../errors.ts'
import { type Parameters, required, single } from '../url/parameters.ts'
import type { Client } from './clients/client.ts'

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** The explicit type, which says that the issuer is the only audience. */
const STRICT_TYPE = 'client-authentication+jwt'
const MAX_LENGTH = 8192
/** Seconds by which the clock of a client may differ from ours. */
const SKEW = 60
/** Seconds from now to `exp`: so long each `jti` is remembered. */
const LONGEST = 3600

/** Asymmetric algorithms alone: there is no secret that both sides know. */
export const ASSERTION_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'] as const

const Header = z.looseObject({
  alg: z.enum(ASSERTION_ALGORITHMS),
  typ: z.string().optional(),
  crit: z.undefined().optional(),
})
const Claims = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.array(z.string()).min(1)]),
  exp: z.number(),
  jti: z.string().min(1).max(256),
  nbf: z.number().optional(),
  iat: z.number().optional(),
})

/** An assertion that says the right things. Its signature has not been verified yet. */
export interface ClientAssertion {
  readonly jws: string
  readonly clientId: string
  readonly jti: string
  /** Seconds since the epoch. */
  readonly exp: number
}

/**
 * The assertion of a request; undefined if it has none.
 * @param deps `now`: seconds since the epoch
 * @throws OAuthError `invalid_request` for an assertion of another type, `invalid_client` if it is not for us, not of
 *   this moment or not one client's own
 */
export function readClientAssertion(
  parameters: Parameters,
  deps: { readonly issuer: string; readonly tokenEndpoint: string; readonly now: number },
): ClientAssertion | undefined {
  const type = single(parameters, 'client_assertion_type')
  if (type === undefined && single(parameters, 'client_assertion') === undefined) return undefined
  const jws = required(parameters, 'client_assertion')
  if (type !== ASSERTION_TYPE) {
    throw new OAuthError('invalid_request', `client_assertion_type must be ${ASSERTION_TYPE}`)
  }
  const { header, claims } = decode(jws)
  const typ = header.typ?.toLowerCase().replace(/^application\//, '')
  if (typ !== undefined && typ !== 'jwt' && typ !== STRICT_TYPE) {
    throw unusable('is a token of another kind: typ')
  }
  if (claims.iss !== claims.sub) throw unusable('must have the client_id as iss and as sub')
  // A list in which everybody is ours leads nobody else to take the assertion.
  const ours = typ === STRICT_TYPE ? [deps.issuer] : audiences(deps)
  if (![claims.aud].flat().every((audience) => ours.includes(audience))) {
    throw unusable(`is for somebody else: aud must be ${deps.issuer}`)
  }
  checkTimes(claims, deps.now)
  return { jws, clientId: claims.sub, jti: claims.jti, exp: claims.exp }
}

/** With the issuer as some libraries print it. */
const audiences = (deps: { readonly issuer: string; readonly tokenEndpoint: string }) => [
  deps.issuer,
  `${deps.issuer}/`,
  deps.tokenEndpoint,
]

/** Seconds for which a replay of the assertion must be recognised. */
export function secondsToRemember({ exp }: ClientAssertion, now: number): number {
  return Math.max(1, Math.ceil(exp - now) + SKEW)
}

function decode(jws: string): {
  header: z.output<typeof Header>
  claims: z.output<typeof Claims>
} {
  if (jws.length > MAX_LENGTH) throw unusable(`is longer than ${MAX_LENGTH} characters`)
  try {
    const header = Header.safeParse(decodeProtectedHeader(jws))
    if (!header.success) {
      throw unusable(`must be signed with one of ${ASSERTION_ALGORITHMS.join(', ')}, without crit`)
    }
    const claims = Claims.safeParse(decodeJwt(jws))
    if (claims.success) return { header: header.data, claims: claims.data }
    const names = [...new Set(claims.error.issues.map(({ path }) => String(path[0])))]
    throw unusable(`lacks or has malformed: ${names.join(', ')}`)
  } catch (cause) {
    throw cause instanceof OAuthError ? cause : unusable('is not a signed JWT', { cause })
  }
}

function checkTimes({ exp, nbf, iat }: z.output<typeof Claims>, now: number): void {
  if (exp + SKEW <= now) throw unusable('has expired')
  if (exp > now + LONGEST + SKEW) throw unusable(`is valid for more than ${LONGEST} seconds`)
  if ((nbf ?? now) > now + SKEW || (iat ?? now) > now + SKEW) throw unusable('is from the future')
}

/** @throws OAuthError unless the client has registered keys */
export function requireKeys(client: Client): NonNullable<Client['keys']> {
  if (client.keys) return client.keys
  throw new OAuthError('invalid_client', 'the client has no keys, so it cannot sign assertions')
}

const unusable = (problem: string, options?: ErrorOptions) =>
  new OAuthError('invalid_client', `the client assertion ${problem}`, options)

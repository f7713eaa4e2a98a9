/**
 * Reads an access token and its person from the claims that a provider states. Pure. A claim is taken only in the shape
 * it must have, and a token that is not clearly an access token is refused.
 *
 * @module
 */
import { identityFromClaims } from '../../providers/oidc-identity.ts'
import {
  type Claims,
  type Identity,
  ProviderFailure,
  type TokenStatement,
} from '../../providers/provider.ts'

export interface ProviderAccessToken {
  readonly person: Identity
  /** The audiences that the provider states; may be empty. */
  readonly audiences: readonly string[]
  /** The client it was issued to, if the provider says so. */
  readonly client: string | undefined
  readonly scopes: readonly string[]
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

export type Reading =
  | { readonly kind: 'token'; readonly token: ProviderAccessToken }
  | { readonly kind: 'refused'; readonly reason: string }

/** Both in seconds since the epoch. */
interface Times {
  readonly now: number
  /** Tokens issued before this are refused; 0 refuses none. */
  readonly revokedBefore: number
}

/** Seconds that the provider's clock may be ahead of ours. */
const TOLERANCE = 30

/** @param groupsClaim the claim that lists groups */
export function readAccessToken(
  { claims, header }: Extract<TokenStatement, { kind: 'claims' }>,
  {
    groupsClaim,
    tolerated,
    ...times
  }: Times & { readonly groupsClaim: string; readonly tolerated?: (what: string) => void },
): Reading {
  const problem =
    typeProblem(claims, header) ?? timeProblem(claims, times) ?? audienceProblem(claims)
  if (problem !== undefined) return { kind: 'refused', reason: problem }
  const { aud, azp, client_id: clientId, scope, exp } = claims
  const client = azp ?? clientId
  try {
    return {
      kind: 'token',
      token: {
        person: identityFromClaims(claims, groupsClaim, tolerated),
        audiences: texts(aud) ?? [],
        client: typeof client === 'string' && client !== '' ? client : undefined,
        scopes: typeof scope === 'string' ? scope.split(' ').filter((name) => name !== '') : [],
        expiresAt: Number(exp),
      },
    }
  } catch (error) {
    if (error instanceof ProviderFailure) return { kind: 'refused', reason: error.message }
    throw error
  }
}

/**
 * An ID token has the same key, issuer and often audience as an access token, and Keycloak's refresh tokens are JWTs,
 * too: only `typ` tells them apart (RFC 9068 section 4, and Keycloak's claim of that name).
 */
function typeProblem(claims: Claims, header: Claims | undefined): string | undefined {
  const { typ, cnf } = claims
  // Else a stolen token that is bound to a key would pass as a plain bearer token (RFC 9449, RFC 8705).
  if (cnf !== undefined) return 'the token is bound to a key'
  if (typ !== undefined && typ !== 'Bearer') return 'the token is not an access token (typ)'
  if (header === undefined || typ === 'Bearer') return undefined
  return typeof header.typ === 'string' && /^(application\/)?at\+jwt$/i.test(header.typ)
    ? undefined
    : 'the token is not an access token (typ)'
}

function timeProblem({ exp, nbf, iat }: Claims, { now, revokedBefore }: Times): string | undefined {
  if (!isTime(exp) || !isTime(nbf ?? 0) || !isTime(iat ?? 0)) {
    return 'exp, nbf or iat of the token is not a number'
  }
  if (exp <= now) return 'the token has expired'
  if (isTime(nbf) && nbf > now + TOLERANCE) return 'the token is not valid yet'
  if (revokedBefore > 0 && !(isTime(iat) && iat >= revokedBefore)) {
    return 'the token was issued before REVOKE_BEFORE'
  }
  return undefined
}

const audienceProblem = ({ aud }: Claims) =>
  aud === undefined || texts(aud)
    ? undefined
    : 'aud of the token is not a string or a list of strings'

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value)

function texts(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) return undefined
  const all: readonly unknown[] = value
  const found = all.filter((entry) => typeof entry === 'string')
  return found.length === all.length ? found : undefined
}

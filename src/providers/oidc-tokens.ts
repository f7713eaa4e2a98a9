/**
 * Access tokens of an OpenID Connect provider: signed ones by its keys, others, and those that say too little, by
 * introspection (RFC 7662).
 *
 * @module
 */
import { errors } from 'jose'
import { tokenIntrospection } from 'openid-client'
import { formsOfSecret } from './client-authentication.ts'
import { type OidcConnection, translateFailures } from './oidc-connection.ts'
import type { Claims, TokenAuthority, TokenStatement } from './provider.ts'

/** Known keys serve this long beyond their age while the provider hangs. */
const GRACE_MS = 10 * 60_000

const refused = (reason: string): TokenStatement => ({ kind: 'refused', reason })

export function createOidcTokens(
  { discoveredOrStale, isIssuer, createKeys }: OidcConnection,
  { clientId, clientSecret }: { readonly clientId: string; readonly clientSecret: string },
): TokenAuthority {
  const keys = createKeys(GRACE_MS)

  async function readSigned(token: string): Promise<TokenStatement> {
    const { metadata } = await discoveredOrStale()
    try {
      const { header, claims } = await keys.verify(token)
      if (!claims) return refused('the token holds no claims')
      // Compare exactly: a prefix, or a realm whose name begins alike, is another issuer.
      if (claims.iss !== metadata.issuer) return refused('the token has another issuer')
      return { kind: 'claims', claims, header }
    } catch (error) {
      // A key set that cannot be read says nothing about the token.
      if (error instanceof errors.JWKSInvalid) throw error
      if (error instanceof errors.JOSEError) return refused(`the token: ${error.message}`)
      throw error
    }
  }

  async function introspect(
    token: string,
    beforeRetry: (() => Promise<void>) | undefined,
  ): Promise<TokenStatement> {
    const { withSecret, metadata } = await discoveredOrStale()
    if (metadata.introspection_endpoint === undefined) {
      return refused('the provider has no introspection_endpoint')
    }
    const answer: Claims = await withSecret({
      endpoint: 'introspection_endpoint',
      run: (configuration) =>
        tokenIntrospection(configuration, token, { token_type_hint: 'access_token' }),
      ...(beforeRetry && { beforeRetry }),
    })
    if (answer.active !== true) return refused('the provider says that the token is not active')
    // ID and refresh tokens are active too.
    if (!isAccessToken(answer)) return refused('the token is not a bearer token')
    const { iss = metadata.issuer } = answer
    if (iss !== metadata.issuer) return refused('the token has another issuer')
    return { kind: 'claims', claims: { ...answer, iss } }
  }

  const step = (token: string) => ({
    about: 'the request about a token' as const,
    secrets: [...formsOfSecret(clientId, clientSecret), token],
  })
  return {
    isIssuer,
    readSigned: (token) => translateFailures(step(token), () => readSigned(token)),
    inspect: (token, beforeRetry) =>
      translateFailures(step(token), () => introspect(token, beforeRetry)),
  }
}

/**
 * RFC 7662 section 2.2 lets a provider leave `token_type` out, and some do so for refresh tokens above all: then
 * `token_use` has to say what the token is. Names of types ignore case (RFC 6749 section 5.1).
 */
function isAccessToken({ token_type: type, token_use: use }: Claims): boolean {
  if (use !== undefined && use !== 'access_token') return false
  if (type === undefined) return use !== undefined
  return typeof type === 'string' && type.toLowerCase() === 'bearer'
}

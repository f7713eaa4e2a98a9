/**
 * The tokens that an OpenID Connect provider gave us for a person: renews them (RFC 6749 section 6) and ends them (RFC
 * 7009). It does not own where they wait, or who gets them: `src/oauth/relay/` does.
 *
 * @module
 */
import { ResponseBodyError, refreshTokenGrant, tokenRevocation } from 'openid-client'
import { formsOfSecret } from './client-authentication.ts'
import { type OidcConnection, translateFailures } from './oidc-connection.ts'
import { quoteError } from './oidc-failure.ts'
import type { ProviderTokenSet, Renewal, TokenRelay } from './provider.ts'

interface TokenAnswer {
  readonly access_token: string
  readonly refresh_token?: string
}

/** The tokens of a token answer. */
export const tokenSetOf = ({
  access_token: accessToken,
  refresh_token: refreshToken,
}: TokenAnswer): ProviderTokenSet => ({
  accessToken,
  ...(refreshToken !== undefined && { refreshToken }),
})

export function createOidcRelay(
  { discovered }: Pick<OidcConnection, 'discovered'>,
  { clientId, clientSecret }: { readonly clientId: string; readonly clientSecret: string },
): TokenRelay {
  const secretsOf = (token: string) => [...formsOfSecret(clientId, clientSecret), token]

  async function renew(refreshToken: string): Promise<Renewal> {
    const { withSecret } = await discovered.get()
    try {
      const answer = await withSecret({
        endpoint: 'token_endpoint',
        run: (configuration) => refreshTokenGrant(configuration, refreshToken),
      })
      // A provider that does not rotate may leave the refresh token out.
      return { kind: 'renewed', tokens: { refreshToken, ...tokenSetOf(answer) } }
    } catch (error) {
      if (!(error instanceof ResponseBodyError) || error.error !== 'invalid_grant') throw error
      return { kind: 'ended', reason: quoteError(error, secretsOf(refreshToken)) }
    }
  }

  async function revoke(refreshToken: string): Promise<void> {
    const { withSecret, metadata } = await discovered.get()
    if (metadata.revocation_endpoint === undefined) return
    await withSecret({
      endpoint: 'revocation_endpoint',
      run: (configuration) =>
        tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' }),
    })
  }

  const step = (token: string) =>
    ({ about: 'the refresh token', secrets: secretsOf(token) }) as const
  return {
    renew: (token) => translateFailures(step(token), () => renew(token)),
    revoke: (token) => translateFailures(step(token), () => revoke(token)),
  }
}

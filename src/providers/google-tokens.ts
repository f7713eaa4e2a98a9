/**
 * Google's access tokens: opaque, and read by its tokeninfo endpoint. Only userinfo says which Workspace manages them.
 *
 * @module
 */
import { fetchUserInfo, WWWAuthenticateChallengeError } from 'openid-client'
import { z } from 'zod'
import type { HostedDomains } from './hosted-domains.ts'
import { type Discovered, type OidcConnection, translateFailures } from './oidc-connection.ts'
import {
  type Claims,
  ProviderFailure,
  type TokenAuthority,
  type TokenStatement,
} from './provider.ts'
import { PROVIDER_TIMEOUT, type ProviderFetch } from './provider-fetch.ts'

/** Google's access tokens live this many seconds; tokeninfo does not say when they were issued. */
const LIFETIME = 3600
const PROFILE_SCOPES: Readonly<Record<string, string>> = {
  'https://www.googleapis.com/auth/userinfo.email': 'email',
  'https://www.googleapis.com/auth/userinfo.profile': 'profile',
}
const TokenInfo = z.looseObject({
  aud: z.string(),
  sub: z.string(),
  exp: z.coerce.number().int().positive().optional(),
  expires_in: z.coerce.number().int().nonnegative().optional(),
  scope: z.string().optional(),
})

const refused = (reason: string): TokenStatement => ({ kind: 'refused', reason })

export function createGoogleTokens(
  { discoveredOrStale, isIssuer, usable }: OidcConnection,
  options: {
    readonly clientSecret: string
    readonly hosted: HostedDomains
    readonly outbound: ProviderFetch
    /** Milliseconds since the epoch. */
    readonly now: () => number
  },
): TokenAuthority {
  const { clientSecret, hosted, outbound, now } = options

  async function inspect(token: string): Promise<TokenStatement> {
    const found = await discoveredOrStale()
    const tokenEndpoint = usable(found.metadata.token_endpoint, 'token_endpoint')
    const answer = await outbound.send(new URL('tokeninfo', tokenEndpoint).href, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ access_token: token }),
      signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000),
    })
    // The form of this request is right, so a 400 is about the token.
    if (answer.status === 400) return refused('Google says that the token is not valid')
    const body: unknown = await answer.json().catch(() => undefined)
    if (answer.status !== 200) {
      throw new ProviderFailure('failed', `Google's token-info answered ${answer.status}`)
    }
    const info = TokenInfo.safeParse(body)
    if (!info.success) return refused("Google's token-info does not say whose the token is")
    const managed = hosted.isLimited ? await findOrganisation(found, token, info.data.sub) : {}
    if (managed === undefined) return refused('Google says that the token is not valid')
    return {
      kind: 'claims',
      claims: claimsOf(info.data, { iss: found.metadata.issuer, now: now() / 1000, managed }),
    }
  }

  return {
    isIssuer,
    async inspect(token) {
      const step = { about: 'the request about a token', secrets: [clientSecret, token] } as const
      const statement = await translateFailures(step, () => inspect(token))
      if (statement.kind === 'refused') return statement
      try {
        hosted.admit(statement.claims)
        return statement
      } catch (error) {
        if (error instanceof ProviderFailure) return refused(error.message)
        throw error
      }
    },
  }
}

/** The `hd` of the account; undefined if the token ended meanwhile. */
async function findOrganisation(
  { configuration }: Discovered,
  token: string,
  subject: string,
): Promise<Claims | undefined> {
  try {
    const { hd } = await fetchUserInfo(configuration, token, subject)
    return { hd }
  } catch (error) {
    if (error instanceof WWWAuthenticateChallengeError) return undefined
    throw error
  }
}

function claimsOf(
  info: z.output<typeof TokenInfo>,
  { iss, now, managed }: { iss: string; now: number; managed: Claims },
): Claims {
  const { aud, azp, sub, email, email_verified: verified, scope = '' } = info
  const exp = info.exp ?? Math.floor(now) + (info.expires_in ?? 0)
  return {
    iss,
    aud,
    azp,
    sub,
    email,
    // Only tokeninfo sends this claim as a string.
    email_verified: verified === true || verified === 'true',
    scope: scope
      .split(' ')
      .map((name) => PROFILE_SCOPES[name] ?? name)
      .join(' '),
    exp,
    iat: exp - LIFETIME,
    ...managed,
  }
}

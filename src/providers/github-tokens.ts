/**
 * GitHub's tokens for a person: redeemed with a code, renewed where the app lets them expire.
 *
 * @module
 */
import { z } from 'zod'
import { parseJson } from './oddities.ts'
import { type PersonToken, ProviderFailure } from './provider.ts'
import type { GithubProviderConfig } from './provider-config.ts'
import type { ProviderFetch } from './provider-fetch.ts'
import { requestToken } from './token-request.ts'

const Token = z.string().regex(/^[\x21-\x7e]{1,4000}$/)
/** Only GitHub Apps have tokens that expire, and then with another one that renews them. */
const TokenAnswer = z.looseObject({
  access_token: Token,
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().positive().optional(),
  refresh_token: Token.optional(),
})
const Tokens = z.object({
  access: Token,
  refresh: Token.exactOptional(),
  /** Seconds since the epoch. */
  until: z.number().exactOptional(),
})
export type GithubTokens = z.infer<typeof Tokens>

interface TokenDeps extends Pick<GithubProviderConfig, 'issuerUrl' | 'clientId' | 'clientSecret'> {
  readonly outbound: ProviderFetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** A request for tokens of a person. */
interface GithubTokenRequest {
  readonly about: 'the code' | 'the refresh token'
  /** The parameters of the grant, beside our credentials. */
  readonly form: Readonly<Record<string, string>>
  /** The values of the form that no log may have. */
  readonly secrets: readonly string[]
}

/**
 * @throws ProviderFailure; `gone` for a token that renews nothing any more
 */
export async function askForTokens(
  { about, form, secrets }: GithubTokenRequest,
  { issuerUrl, clientId, clientSecret, outbound, now }: TokenDeps,
): Promise<GithubTokens> {
  const reply = await requestToken(`${issuerUrl}/login/oauth/access_token`, {
    form: { client_id: clientId, client_secret: clientSecret, ...form },
    secrets: [clientSecret, ...secrets],
    headers: { 'user-agent': 'gatewarden' },
    outbound,
  })
  if (reply.kind === 'error') {
    const kind = reply.error === 'bad_refresh_token' ? 'gone' : 'failed'
    throw new ProviderFailure(kind, `the provider refused ${about}: ${reply.quoted}`)
  }
  const answer = TokenAnswer.safeParse(reply.body)
  if (reply.status !== 200 || !answer.success) {
    throw new ProviderFailure(
      'failed',
      `GitHub's answer to ${about} cannot be read (${reply.status})`,
    )
  }
  const { access_token: access, refresh_token: refresh, expires_in: span } = answer.data
  return {
    access,
    ...(refresh !== undefined && { refresh }),
    ...(span !== undefined && { until: Math.floor(now() / 1000 + span) }),
  }
}

/** The access token alone. */
export const personTokenOf = ({ access: value, until }: GithubTokens): PersonToken => ({
  value,
  ...(until !== undefined && { until }),
})

export const toHeld = (tokens: GithubTokens): string => JSON.stringify(tokens)

/** The tokens that {@link toHeld} wrote. */
export function fromHeld(held: string | undefined): GithubTokens | undefined {
  const tokens = Tokens.safeParse(held === undefined ? undefined : parseJson(held))
  return tokens.success ? tokens.data : undefined
}

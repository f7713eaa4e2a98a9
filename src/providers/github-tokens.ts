/**
 * GitHub's tokens for a person: redeemed with a code, renewed where the app lets them expire.
 *
 * @module
 */
import { z } from 'zod'
import { parseJson } from './oddities.ts'
import { quoteError } from './oidc-failure.ts'
import { ProviderFailure } from './provider.ts'
import type { GithubProviderConfig } from './provider-config.ts'
import { fetchFromProvider, PROVIDER_TIMEOUT } from './provider-fetch.ts'

const Token = z.string().regex(/^[\x21-\x7e]{1,4000}$/)
const ErrorAnswer = z.looseObject({
  error: z.string().min(1),
  error_description: z.string().optional(),
})
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
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** A request for tokens. */
interface TokenRequest {
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
  { about, form, secrets }: TokenRequest,
  { issuerUrl, clientId, clientSecret, now }: TokenDeps,
): Promise<GithubTokens> {
  const response = await fetchFromProvider(`${issuerUrl}/login/oauth/access_token`, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'gatewarden',
    },
    body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret, ...form }),
    signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000),
  })
  const body = parseJson(await response.text())
  // GitHub answers an error with 200.
  const refusal = ErrorAnswer.safeParse(body)
  if (refusal.success) {
    const { error, error_description: words } = refusal.data
    const quoted = quoteError({ error, ...(words && { error_description: words }) }, [
      clientSecret,
      ...secrets,
    ])
    const kind = error === 'bad_refresh_token' ? 'gone' : 'failed'
    throw new ProviderFailure(kind, `the provider refused ${about}: ${quoted}`)
  }
  const answer = TokenAnswer.safeParse(body)
  if (response.status !== 200 || !answer.success) {
    throw new ProviderFailure(
      'failed',
      `GitHub's answer to ${about} cannot be read (${response.status})`,
    )
  }
  const { access_token: access, refresh_token: refresh, expires_in: span } = answer.data
  return {
    access,
    ...(refresh !== undefined && { refresh }),
    ...(span !== undefined && { until: Math.floor(now() / 1000 + span) }),
  }
}

export const toHeld = (tokens: GithubTokens): string => JSON.stringify(tokens)

/** The tokens that {@link toHeld} wrote. */
export function fromHeld(held: string | undefined): GithubTokens | undefined {
  const tokens = Tokens.safeParse(held === undefined ? undefined : parseJson(held))
  return tokens.success ? tokens.data : undefined
}

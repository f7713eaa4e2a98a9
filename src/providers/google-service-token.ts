/**
 * Access tokens of a Google service account that acts for an administrator: a signed assertion is exchanged for one (RFC
 * 7523, Google's domain-wide delegation).
 *
 * @module
 */
import { SignJWT } from 'jose'
import { z } from 'zod'
import { createCached } from './cached.ts'
import { parseJson } from './oddities.ts'
import { quoteError } from './oidc-failure.ts'
import { ProviderFailure } from './provider.ts'
import type { GoogleDirectoryConfig } from './provider-config.ts'
import { fetchFromProvider, PROVIDER_TIMEOUT } from './provider-fetch.ts'

const SCOPE = ['user', 'group']
  .map((part) => `https://www.googleapis.com/auth/admin.directory.${part}.readonly`)
  .join(' ')
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** Seconds. The assertion is used at once; the longest that Google takes is an hour. */
const ASSERTION_LIFETIME = 300
/** Google's access tokens live for an hour. */
const MAX_AGE_MS = 30 * 60_000
const RETRY_AFTER_MS = 3_000

const ErrorAnswer = z.looseObject({
  error: z.string().min(1),
  error_description: z.string().optional(),
})
const TokenAnswer = z.looseObject({ access_token: z.string().regex(/^[\x21-\x7e]{1,8000}$/) })

export interface ServiceTokens {
  /** A token for the directory. Rejects with ProviderFailure. */
  get(): Promise<string>
  /** Another one, in place of a token that the directory refused. */
  instead(refused: string): Promise<string>
}

export function createServiceTokens(
  account: GoogleDirectoryConfig,
  deps: {
    /** Milliseconds since the epoch. */
    readonly now: () => number
    /** Milliseconds on a clock that is never set back. */
    readonly elapsed: () => number
  },
): ServiceTokens {
  const { tokenUrl, clientEmail, keyId, privateKey, subject } = account

  async function load(): Promise<string> {
    const iat = Math.floor(deps.now() / 1000)
    const assertion = await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) })
      .setIssuer(clientEmail)
      .setSubject(subject)
      .setAudience(tokenUrl)
      .setIssuedAt(iat)
      .setExpirationTime(iat + ASSERTION_LIFETIME)
      .sign(privateKey)
    const response = await fetchFromProvider(tokenUrl, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ grant_type: GRANT, assertion }),
      signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000),
    })
    const body = parseJson(await response.text())
    const refusal = ErrorAnswer.safeParse(body)
    if (refusal.success) {
      const { error, error_description: words } = refusal.data
      const quoted = quoteError({ error, ...(words && { error_description: words }) }, [assertion])
      throw new ProviderFailure('failed', `Google refused the service account: ${quoted}`)
    }
    const answer = TokenAnswer.safeParse(body)
    if (response.status !== 200 || !answer.success) {
      throw new ProviderFailure(
        'failed',
        `Google's answer to the service account cannot be read (${response.status})`,
      )
    }
    return answer.data.access_token
  }

  const { elapsed } = deps
  const cached = createCached({ load, maxAgeMs: MAX_AGE_MS, retryAfterMs: RETRY_AFTER_MS, elapsed })
  return { get: cached.get, instead: cached.newerThan }
}

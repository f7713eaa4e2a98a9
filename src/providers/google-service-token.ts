/**
 * Access tokens of a Google service account that acts for an administrator: a signed assertion is exchanged for one (RFC
 * 7523, Google's domain-wide delegation).
 *
 * @module
 */
import { SignJWT } from 'jose'
import { z } from 'zod'
import { createCached } from './cached.ts'
import { ProviderFailure } from './provider.ts'
import type { GoogleDirectoryConfig } from './provider-config.ts'
import type { ProviderFetch } from './provider-fetch.ts'
import { requestToken } from './token-request.ts'

const SCOPE = ['user', 'group']
  .map((part) => `https://www.googleapis.com/auth/admin.directory.${part}.readonly`)
  .join(' ')
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** Seconds. The assertion is used at once; the longest that Google takes is an hour. */
const ASSERTION_LIFETIME = 300
/** Google's access tokens live for an hour. */
const MAX_AGE_MS = 30 * 60_000
const RETRY_AFTER_MS = 3_000

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
    readonly outbound: ProviderFetch
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
    const reply = await requestToken(tokenUrl, {
      form: { grant_type: GRANT, assertion },
      secrets: [assertion],
      outbound: deps.outbound,
    })
    if (reply.kind === 'error') {
      throw new ProviderFailure('failed', `Google refused the service account: ${reply.quoted}`)
    }
    const answer = TokenAnswer.safeParse(reply.body)
    if (reply.status !== 200 || !answer.success) {
      throw new ProviderFailure(
        'failed',
        `Google's answer to the service account cannot be read (${reply.status})`,
      )
    }
    return answer.data.access_token
  }

  const { elapsed } = deps
  const cached = createCached({ load, maxAgeMs: MAX_AGE_MS, retryAfterMs: RETRY_AFTER_MS, elapsed })
  return { get: cached.get, instead: cached.newerThan }
}

/**
 * Asks an OpenID Connect provider about a person again, by the refresh token of their sign-in (OpenID Connect Core section
 * 12), and asks for that token at the sign-in (section 11).
 *
 * @module
 */
import { ResponseBodyError, refreshTokenGrant, type ServerMetadata } from 'openid-client'
import { formsOfSecret } from './client-authentication.ts'
import { type Discovered, type OidcConnection, translateFailures } from './oidc-connection.ts'
import { type ProviderStep, quoteError } from './oidc-failure.ts'
import { personTokenOf } from './person-token.ts'
import { type Account, type Identity, ProviderFailure, type Rechecks } from './provider.ts'

export type Refreshed = Awaited<ReturnType<typeof refreshTokenGrant>>

/** Errors that end what the person once allowed; Entra has the later ones (also RFC 6749 section 5.2). */
const GONE = ['invalid_grant', 'interaction_required', 'login_required', 'consent_required']
const OFFLINE_ACCESS = 'offline_access'

interface RequestParts {
  readonly scopes: readonly string[]
  /** The prompt that the request has already. */
  readonly prompt: string | undefined
  readonly metadata: Readonly<ServerMetadata>
  /** True if the provider gives no refresh token unless the person is asked for it each time. */
  readonly needsConsent: boolean
}

/** The scopes of an authorization request whose answer has to bring a refresh token, and the prompt for it. */
export function offlineRequest({ scopes, prompt, metadata, needsConsent }: RequestParts): {
  readonly scope: string
  readonly prompt?: string
} {
  // Some providers refuse a scope that they do not know, and give refresh tokens without it.
  const { scopes_supported: known } = metadata
  const isKnown = !Array.isArray(known) || known.includes(OFFLINE_ACCESS)
  const prompts = [...(prompt?.split(' ') ?? []), ...(needsConsent ? ['consent'] : [])]
  return {
    scope: [...new Set([...scopes, ...(isKnown ? [OFFLINE_ACCESS] : [])])].join(' '),
    ...(prompts.length > 0 && { prompt: prompts.join(' ') }),
  }
}

/**
 * @param readPerson the person of a token answer; undefined if the provider says nothing more than that it is good
 */
export function createOidcRechecks(
  { discovered }: Pick<OidcConnection, 'discovered'>,
  options: {
    readonly clientId: string
    readonly clientSecret: string
    /** Milliseconds since the epoch. */
    readonly now: () => number
    readonly readPerson: (
      found: Discovered,
      tokens: Refreshed,
      account: Account,
    ) => Promise<Identity | undefined>
  },
): Rechecks {
  const { clientId, clientSecret, now, readPerson } = options
  return {
    needsHeld: true,
    async ask(account, { held = '', keep }) {
      const step: ProviderStep = {
        about: 'the refresh token',
        secrets: [...formsOfSecret(clientId, clientSecret), held],
      }
      const asked = now()
      const { found, tokens } = await translateFailures(step, async () => {
        const found = await discovered.get()
        const tokens = await found
          .withSecret({
            endpoint: 'token_endpoint',
            run: (configuration) => refreshTokenGrant(configuration, held),
          })
          .catch((error: unknown) => {
            throw error instanceof ResponseBodyError && GONE.includes(error.error)
              ? new ProviderFailure(
                  'gone',
                  `the provider refused: ${quoteError(error, step.secrets)}`,
                )
              : error
          })
        return { found, tokens }
      })
      const { refresh_token: next } = tokens
      if (next !== undefined && next !== held) await keep(next)
      const token = personTokenOf(tokens, asked)
      const person = await translateFailures(step, () => readPerson(found, tokens, account))
      if (person && !isSameAccount(person, account)) {
        throw new ProviderFailure('failed', 'the provider answered for another account')
      }
      return { person, token }
    },
  }
}

/** Some providers have their issuer with a slash at its end in one place and without it in another. */
const isSameAccount = (one: Account, other: Account) =>
  one.subject === other.subject && withoutSlash(one.issuer) === withoutSlash(other.issuer)
const withoutSlash = (issuer: string) => issuer.replace(/\/$/, '')

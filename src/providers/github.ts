/**
 * GitHub and GitHub Enterprise. It has no ID token, so the person is read over its REST API, with a token that is
 * forgotten afterwards, unless refreshes ask again (decisions 0054, 0066).
 *
 * @module
 */
import { type Keyring, sha256 } from '../crypto.ts'
import { createGithubApi } from './github-api.ts'
import { readPerson } from './github-person.ts'
import { createGithubRechecks } from './github-recheck.ts'
import { askForTokens, personTokenOf, toHeld } from './github-tokens.ts'
import type { ReportOddity } from './oddities.ts'
import { quoteError } from './oidc-failure.ts'
import { ProviderFailure, type RedirectProvider } from './provider.ts'
import type { GithubProviderConfig } from './provider-config.ts'
import type { ProviderFetch } from './provider-fetch.ts'

interface GithubOptions extends GithubProviderConfig {
  /** Our redirect URI, as registered at GitHub. */
  readonly redirectUri: string
  readonly keyring: Keyring
  readonly tolerated: ReportOddity
  readonly outbound: ProviderFetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds on a clock that is never set back. */
  readonly elapsed: () => number
}

export function createGithubProvider(options: GithubOptions): RedirectProvider {
  const { issuerUrl, clientId, clientSecret, redirectUri, keyring, scopes } = options
  const verifierOf = (flowId: string) => keyring.mac('provider', `pkce|${flowId}`)

  const readsGroups =
    options.organisations.length > 0 &&
    scopes.some((scope) => /^(?:read|write|admin):org$/.test(scope))
  const personOf = (token: string) =>
    readPerson(createGithubApi({ ...options, token }), {
      ...options,
      issuer: issuerUrl,
      readsGroups,
    })

  const provider: RedirectProvider = {
    id: options.id,
    name: 'GitHub',
    // A renamed account frees its name for anybody, so the name cannot be a person's key at a server.
    uniqueUsernames: false,
    kind: 'redirect',
    speaksFor: (issuer) => issuer === issuerUrl,

    async authorizationUrl({ flowId, state, wishes = {} }) {
      const url = new URL(`${issuerUrl}/login/oauth/authorize`)
      url.search = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: scopes.join(' '),
        state,
        code_challenge: sha256(verifierOf(flowId)),
        code_challenge_method: 'S256',
        // GitHub knows no `prompt=login`; somebody else signs in there by choosing an account.
        ...(wishes.prompt !== undefined && { prompt: 'select_account' }),
        ...(wishes.loginHint !== undefined && { login: wishes.loginHint }),
      }).toString()
      return url
    },

    async otherAccount({ flowId, state, wishes }) {
      const url = await provider.authorizationUrl({ flowId, state, wishes })
      url.searchParams.set('prompt', 'select_account')
      // An older GitHub Enterprise ignores the parameter.
      return { url, showsSameAccount: !/(?:^|\.)(?:github|ghe)\.com$/.test(url.hostname) }
    },

    async identify(callback, { flowId, state }) {
      const given = callback.searchParams
      const verifier = verifierOf(flowId)
      if (given.getAll('state').length !== 1 || given.get('state') !== state) {
        throw new ProviderFailure('failed', 'the answer of GitHub is for another sign-in (state)')
      }
      const error = given.get('error')
      if (error !== null) {
        const words = given.get('error_description')
        throw new ProviderFailure(
          error === 'access_denied' ? 'denied' : 'failed',
          `the provider sent the person back: ${quoteError(
            { error, ...(words !== null && { error_description: words }) },
            [clientSecret, verifier, state],
          )}`,
        )
      }
      const [code = '', ...others] = given.getAll('code')
      if (code === '' || others.length > 0) {
        throw new ProviderFailure('failed', 'the provider sent the person back without a code')
      }
      const tokens = await askForTokens(
        {
          about: 'the code',
          form: { code, redirect_uri: redirectUri, code_verifier: verifier },
          secrets: [code, verifier],
        },
        options,
      )
      const person = await personOf(tokens.access).catch((cause: unknown) => {
        if (!(cause instanceof ProviderFailure)) throw cause
        // Of a token that was made this moment, GitHub does not say that the person is gone.
        const kind = cause.kind === 'gone' ? 'failed' : cause.kind
        throw new ProviderFailure(kind, cause.message, { cause, codeIsSpent: true })
      })
      return {
        person,
        ...(options.rechecks && { held: toHeld(tokens), token: personTokenOf(tokens) }),
      }
    },

    ...(options.rechecks && {
      rechecks: createGithubRechecks({ ...options, readPerson: personOf }),
    }),
  }
  return provider
}

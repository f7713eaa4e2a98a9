/**
 * GitHub and GitHub Enterprise. It has no ID token, so the person is read over its REST API, with a token that is
 * forgotten afterwards (decision 0054).
 *
 * @module
 */
import { z } from 'zod'
import { type Keyring, sha256 } from '../crypto.ts'
import { createGithubApi } from './github-api.ts'
import { readPerson } from './github-person.ts'
import { parseJson, type ReportOddity } from './oddities.ts'
import { quoteError } from './oidc-failure.ts'
import { ProviderFailure, type RedirectProvider } from './provider.ts'
import type { GithubProviderConfig } from './provider-config.ts'
import { fetchFromProvider, PROVIDER_TIMEOUT } from './provider-fetch.ts'

interface GithubOptions extends GithubProviderConfig {
  /** Our redirect URI, as registered at GitHub. */
  readonly redirectUri: string
  readonly keyring: Keyring
  readonly tolerated: ReportOddity
  /** Milliseconds on a clock that is never set back. */
  readonly elapsed: () => number
}

const ErrorAnswer = z.looseObject({
  error: z.string().min(1),
  error_description: z.string().optional(),
})
const TokenAnswer = z.looseObject({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  token_type: z.string().regex(/^bearer$/i),
})

export function createGithubProvider(options: GithubOptions): RedirectProvider {
  const { issuerUrl, clientId, clientSecret, redirectUri, keyring, scopes } = options
  const verifierOf = (flowId: string) => keyring.mac('provider', `pkce|${flowId}`)

  async function redeem(code: string, verifier: string): Promise<string> {
    const secrets = [clientSecret, verifier, code]
    const response = await fetchFromProvider(`${issuerUrl}/login/oauth/access_token`, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'gatewarden',
      },
      body: new URLSearchParams({
        client_id: clientId,
        client_secret: clientSecret,
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }),
      signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000),
    })
    const body = parseJson(await response.text())
    // GitHub answers an error with 200.
    const refusal = ErrorAnswer.safeParse(body)
    if (refusal.success) {
      const { error, error_description: words } = refusal.data
      const quoted = quoteError({ error, ...(words && { error_description: words }) }, secrets)
      throw new ProviderFailure('failed', `the provider refused the code: ${quoted}`)
    }
    const answer = TokenAnswer.safeParse(body)
    if (response.status !== 200 || !answer.success) {
      throw new ProviderFailure(
        'failed',
        `GitHub's answer to the code cannot be read (${response.status})`,
      )
    }
    return answer.data.access_token
  }

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
      const token = await redeem(code, verifier)
      const api = createGithubApi({ ...options, token })
      const person = await readPerson(api, {
        ...options,
        issuer: issuerUrl,
        readsGroups:
          options.organisations.length > 0 &&
          scopes.some((scope) => /^(?:read|write|admin):org$/.test(scope)),
      }).catch((cause: unknown) => {
        if (!(cause instanceof ProviderFailure)) throw cause
        throw new ProviderFailure(cause.kind, cause.message, { cause, codeIsSpent: true })
      })
      return { person }
    },
  }
  return provider
}

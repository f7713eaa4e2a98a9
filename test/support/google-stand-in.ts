/**
 * Google on loopback, as an application sees it that people sign in to: the issuer with its account chooser on one
 * origin, tokens and token-info on another, userinfo on a third; the discovery document names them as Google's does.
 *
 * @module
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { RedirectProviderConfig } from '../../src/providers/provider-config.ts'

type Json = Record<string, unknown>

/** A Google account. */
export interface GoogleAccount {
  readonly sub: string
  readonly email: string
  readonly name: string
  readonly emailVerified: boolean
  /** The Workspace domain that manages the account; consumer accounts have none. */
  readonly hd?: string
}

export const ANN: GoogleAccount = {
  sub: '110169484474386276334',
  email: 'ann@example.com',
  name: 'Ann Adams',
  emailVerified: true,
  hd: 'example.com',
}
/** An account of her own, although her address is in the domain. */
export const EVE: GoogleAccount = {
  sub: '110169484474386276335',
  email: 'eve@example.com',
  name: 'Eve Evans',
  emailVerified: true,
}
/** An account of another organisation. */
export const OTTO: GoogleAccount = {
  sub: '110169484474386276336',
  email: 'otto@other.example',
  name: 'Otto Other',
  emailVerified: true,
  hd: 'other.example',
}
/** An account whose address is not confirmed. */
export const UMA: GoogleAccount = {
  sub: '110169484474386276337',
  email: 'uma@example.com',
  name: 'Uma Umber',
  emailVerified: false,
  hd: 'example.com',
}
const ACCOUNTS = [ANN, EVE, OTTO, UMA]

export const GOOGLE_CLIENT = {
  id: '407408718192-tests.apps.googleusercontent.com',
  secret: 'GOCSPX-the-secret-of-the-stand-in',
}

interface TokenOptions {
  /** The id of the client that the token is issued to; ours by default. */
  readonly client?: string
  readonly scope?: string
  /** Seconds that the token lives. */
  readonly lifetime?: number
}

/** The provider of a configuration that signs people in at this Google. */
export const googleProvider = (
  { issuer }: Pick<GoogleStandIn, 'issuer'>,
  more: Partial<RedirectProviderConfig> = {},
): RedirectProviderConfig => ({
  type: 'google',
  id: 'google',
  issuerUrl: issuer,
  clientId: GOOGLE_CLIENT.id,
  clientSecret: GOOGLE_CLIENT.secret,
  groupsClaim: 'groups',
  hostedDomains: ['example.com'],
  tokenClients: [],
  allowInsecure: true,
  ...more,
})

export interface GoogleStandIn {
  readonly issuer: string
  /** Every request line so far, queries and all. */
  readonly requests: readonly string[]
  /** True if ID tokens name the issuer without its scheme, as Google's may. */
  bareIssuer: boolean
  /** Answers in place of everything else; true if it answered. */
  answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  /** Accounts that Google closed; it does not rotate refresh tokens. */
  disabled: GoogleAccount[]
  /** Claims of the next ID tokens in place of those of the account. */
  claims: Json
  /** Issues an access token of an account, as for another program. */
  issue(account: GoogleAccount, options?: TokenOptions): string
  /** Ends an access token, as the account's own page does. */
  revoke(token: string): void
  /** Does what a person does there: chooses an account. Returns the address that they are sent back to. */
  choose(authorizationUrl: string, account: GoogleAccount): Promise<string>
  stop(): Promise<void>
}

const SCOPE_URLS: Readonly<Record<string, string>> = {
  email: 'https://www.googleapis.com/auth/userinfo.email',
  profile: 'https://www.googleapis.com/auth/userinfo.profile',
}
const SCOPE = `openid ${SCOPE_URLS.email} ${SCOPE_URLS.profile}`

interface Code {
  readonly query: URLSearchParams
  readonly account: GoogleAccount
}
interface Token {
  readonly account: GoogleAccount
  readonly client: string
  readonly scope: string
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

interface Answer {
  readonly status?: number
  readonly json?: Json
  readonly html?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The same key for all: making a key takes longer than most tests. */
const keyPair = generateKeyPair('RS256')

/** @param options `now`: milliseconds since the epoch; `redirectUris`: the registered ones, any if absent */
export async function startGoogle(
  options: { now?: () => number; redirectUris?: readonly string[] } = {},
): Promise<GoogleStandIn> {
  const { now = Date.now, redirectUris } = options
  const { publicKey, privateKey } = await keyPair
  const kid = randomUUID()
  const codes = new Map<string, Code>()
  const tokens = new Map<string, Token>()
  const refreshTokens = new Map<string, GoogleAccount>()
  const requests: string[] = []
  const seconds = () => Math.floor(now() / 1000)

  function issue(account: GoogleAccount, more: TokenOptions = {}): string {
    const { client = GOOGLE_CLIENT.id, scope = SCOPE, lifetime = 3599 } = more
    const token = `ya29.${randomBytes(120).toString('base64url')}0206`
    tokens.set(token, { account, client, scope, expiresAt: seconds() + lifetime })
    return token
  }
  function find(token: string | null | undefined): Token | undefined {
    const found = tokens.get(token ?? '')
    return found && found.expiresAt > seconds() ? found : undefined
  }

  /** https://accounts.google.com */
  async function accounts(url: URL, request: IncomingMessage): Promise<Answer> {
    if (url.pathname === '/.well-known/openid-configuration') {
      return {
        json: {
          issuer: google.issuer,
          authorization_endpoint: `${google.issuer}/o/oauth2/v2/auth`,
          token_endpoint: `${origins[1]}/token`,
          userinfo_endpoint: `${origins[2]}/v1/userinfo`,
          revocation_endpoint: `${origins[1]}/revoke`,
          jwks_uri: `${origins[2]}/oauth2/v3/certs`,
          response_types_supported: ['code', 'token', 'id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          scopes_supported: ['openid', 'email', 'profile'],
          token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
          code_challenge_methods_supported: ['plain', 'S256'],
          grant_types_supported: ['authorization_code', 'refresh_token'],
        },
      }
    }
    if (url.pathname !== '/o/oauth2/v2/auth') return { status: 404 }
    const query = url.searchParams
    const problem = requestProblem(query, redirectUris)
    if (problem) return { status: 400, html: `<h1>Error 400: ${problem}</h1>` }
    if (request.method !== 'POST') {
      const buttons = ACCOUNTS.map(
        ({ sub, email }) => `<button name="account" value="${sub}">${email}</button>`,
      )
      return {
        html: `<h1>Choose an account</h1><form method="post" action="${escaped(url.pathname + url.search)}">${buttons.join('')}</form>`,
      }
    }
    const chosen = new URLSearchParams(await text(request)).get('account')
    const account = ACCOUNTS.find(({ sub }) => sub === chosen)
    if (!account) return { status: 400, html: '<h1>No such account</h1>' }
    const code = `4/${randomBytes(30).toString('base64url')}`
    codes.set(code, { query, account })
    const back = new URL(query.get('redirect_uri') ?? '')
    back.search = new URLSearchParams({
      state: query.get('state') ?? '',
      code,
      scope: SCOPE,
      authuser: '0',
      ...(account.hd !== undefined && { hd: account.hd }),
      prompt: 'none',
    }).toString()
    return { status: 302, headers: { location: back.href } }
  }

  /** https://oauth2.googleapis.com */
  async function oauth2(url: URL, request: IncomingMessage): Promise<Answer> {
    const form = new URLSearchParams(request.method === 'POST' ? await text(request) : url.search)
    if (url.pathname === '/tokeninfo') return tokenInfo(form.get('access_token'))
    if (url.pathname !== '/token' || request.method !== 'POST') return { status: 404 }
    if (!isOurClient(request, form)) return { status: 401, json: { error: 'invalid_client' } }
    if (form.get('grant_type') === 'refresh_token') {
      const account = refreshTokens.get(form.get('refresh_token') ?? '')
      if (!account || google.disabled.includes(account)) {
        const error_description = 'Token has been expired or revoked.'
        return { status: 400, json: { error: 'invalid_grant', error_description } }
      }
      return answerOf({ query: new URLSearchParams(), account })
    }
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '')
    if (
      !code ||
      code.query.get('redirect_uri') !== form.get('redirect_uri') ||
      code.query.get('code_challenge') !== challenge.digest('base64url')
    ) {
      return { status: 400, json: { error: 'invalid_grant', error_description: 'Bad Request' } }
    }
    return answerOf(code)
  }

  async function answerOf(code: Code): Promise<Answer> {
    const access = issue(code.account)
    const { query } = code
    const isOffline =
      query.get('access_type') === 'offline' && query.get('prompt')?.includes('consent')
    const refreshToken = `1//${randomBytes(40).toString('base64url')}`
    if (isOffline) refreshTokens.set(refreshToken, code.account)
    return {
      json: {
        access_token: access,
        expires_in: 3599,
        scope: SCOPE,
        token_type: 'Bearer',
        id_token: await idToken(code, access),
        ...(isOffline && { refresh_token: refreshToken }),
      },
    }
  }

  function tokenInfo(presented: string | null): Answer {
    const token = find(presented)
    if (!token) {
      return {
        status: 400,
        json: { error: 'invalid_token', error_description: 'Invalid Value' },
      }
    }
    const { account, client, scope, expiresAt } = token
    return {
      json: {
        azp: client,
        aud: client,
        sub: account.sub,
        scope,
        exp: String(expiresAt),
        expires_in: String(expiresAt - seconds()),
        ...(scope.includes('email') && {
          email: account.email,
          email_verified: String(account.emailVerified),
        }),
        access_type: 'online',
      },
    }
  }

  /** https://openidconnect.googleapis.com and https://www.googleapis.com */
  async function apis(url: URL, request: IncomingMessage): Promise<Answer> {
    if (url.pathname === '/oauth2/v3/certs') {
      const key = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }
      return { json: { keys: [key] } }
    }
    if (url.pathname !== '/v1/userinfo') return { status: 404 }
    const token = find(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1])
    if (!token) {
      return {
        status: 401,
        json: { error: 'invalid_request', error_description: 'Invalid Credentials' },
        headers: { 'www-authenticate': 'Bearer realm="Google", error="invalid_token"' },
      }
    }
    return { json: personal(token.account) }
  }

  async function idToken({ query, account }: Code, accessToken: string): Promise<string> {
    const at = Math.floor(Date.now() / 1000)
    return new SignJWT({
      iss: google.bareIssuer ? new URL(google.issuer).host : google.issuer,
      azp: GOOGLE_CLIENT.id,
      aud: GOOGLE_CLIENT.id,
      ...personal(account),
      at_hash: createHash('sha256')
        .update(accessToken)
        .digest()
        .subarray(0, 16)
        .toString('base64url'),
      nonce: query.get('nonce') ?? undefined,
      iat: at,
      exp: at + 3599,
      ...google.claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
      .sign(privateKey)
  }

  const servers: Server[] = []
  const origins: string[] = []
  for (const route of [accounts, oauth2, apis]) {
    const server = createServer(async (request, response) => {
      requests.push(`${request.method} ${request.url}`)
      if (google.answer?.(request, response)) return
      const url = new URL(request.url ?? '/', 'http://google')
      const { status = 200, json, html, headers } = await route(url, request)
      response.writeHead(status, {
        'content-type': html === undefined ? 'application/json' : 'text/html; charset=utf-8',
        ...headers,
      })
      response.end(html ?? (json && JSON.stringify(json)))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no TCP port')
    servers.push(server)
    origins.push(`http://127.0.0.1:${address.port}`)
  }

  const google: GoogleStandIn = {
    issuer: origins[0] ?? '',
    requests,
    bareIssuer: false,
    answer: undefined,
    claims: {},
    disabled: [],
    issue,
    revoke: (token) => void tokens.delete(token),
    async choose(authorizationUrl, { sub }) {
      const answer = await fetch(authorizationUrl, {
        method: 'POST',
        body: new URLSearchParams({ account: sub }),
        redirect: 'manual',
      })
      const location = answer.headers.get('location')
      if (location === null) throw new Error(`it answered ${answer.status}: ${await answer.text()}`)
      return location
    },
    async stop() {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
        if (server.listening) await once(server, 'close')
      }
    },
  }
  return google
}

function requestProblem(
  query: URLSearchParams,
  redirectUris: readonly string[] | undefined,
): string | undefined {
  if (query.get('client_id') !== GOOGLE_CLIENT.id) return 'invalid_client'
  const redirectUri = query.get('redirect_uri') ?? ''
  if (redirectUris && !redirectUris.includes(redirectUri)) return 'redirect_uri_mismatch'
  if (query.get('response_type') !== 'code') return 'unsupported_response_type'
  const prompt = query.get('prompt') ?? 'none'
  const prompts = ['none', 'consent', 'select_account']
  if (prompt.split(' ').some((value) => !prompts.includes(value))) return 'invalid_request'
  const unknown = (query.get('scope') ?? '')
    .split(' ')
    .filter((scope) => !['openid', 'email', 'profile'].includes(scope))
  return unknown.length > 0 ? 'invalid_scope' : undefined
}

function isOurClient(request: IncomingMessage, form: URLSearchParams): boolean {
  const basic = `${encodeURIComponent(GOOGLE_CLIENT.id)}:${encodeURIComponent(GOOGLE_CLIENT.secret)}`
  return (
    request.headers.authorization === `Basic ${Buffer.from(basic).toString('base64')}` ||
    (form.get('client_id') === GOOGLE_CLIENT.id &&
      form.get('client_secret') === GOOGLE_CLIENT.secret)
  )
}

const personal = ({ sub, email, name, emailVerified, hd }: GoogleAccount): Json => ({
  sub,
  name,
  given_name: name.split(' ')[0],
  picture: 'https://lh3.googleusercontent.com/a/default-user',
  email,
  email_verified: emailVerified,
  ...(hd !== undefined && { hd }),
})

const escaped = (value: string) => value.replaceAll('&', '&amp;').replaceAll('"', '&quot;')

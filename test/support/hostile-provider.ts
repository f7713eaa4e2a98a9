/**
 * An OpenID Connect provider on loopback that does everything right until a test tells it what to lie about.
 *
 * @module
 */
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'
import type { RedirectProviderConfig } from '../../src/providers/provider-config.ts'
import { afterTest } from './clean-ups.ts'

export const CLIENT_ID = 'gatewarden'
export const CLIENT_SECRET = 'the secret of the client'
/** The access token that everybody gets there. */
export const ACCESS_TOKEN = 'an-access-token-of-the-provider'
/** The beginning of every refresh token there. */
export const REFRESH_TOKEN = 'a-refresh-token-of-the-provider'

type Json = Record<string, unknown>

/** The lies that it tells. Each function changes its argument. */
export interface Lies {
  discovery?: ((document: Json) => void) | undefined
  /** Changes the query that the person comes back with. */
  redirect?(query: URLSearchParams): void
  claims?(claims: JWTPayload): void
  /** Signs in place of the provider's own key. */
  sign?(claims: JWTPayload): Promise<string> | string
  tokens?(answer: Json): void
  keys?(answer: Json): void
  introspection?(answer: Json): void
  userinfo?(answer: Json): void
  /** The only way in which our client may authenticate; without it, both. */
  accepts?: 'basic' | 'post'
  /** The refusal of a client that did not authenticate, in place of 401 and its JSON. */
  refuseClient?(response: ServerResponse): void
  /** Answers in place of everything else; true if it answered. */
  answer?(request: IncomingMessage, response: ServerResponse): boolean
}

export interface HostileProvider {
  readonly issuer: string
  /** For `testConfig`. */
  readonly config: RedirectProviderConfig
  /** The claims of the person who signs in next. */
  person: Json
  /** The claims that only userinfo has. */
  userinfo: Json
  lies: Lies
  /** True once the person was disabled there. */
  isDisabled: boolean
  /** The number of requests for this path. */
  asked(
    path:
      | '/.well-known/openid-configuration'
      | '/authorize'
      | '/token'
      | '/jwks'
      | '/introspect'
      | '/userinfo',
  ): number
  /** Bodies of the token requests so far. */
  readonly redeemed: readonly URLSearchParams[]
  /** The number of codes that were redeemed twice: Keycloak then ends the person's session. */
  readonly replayed: number
  /** The answers of introspection, by token; any other token is not active. */
  readonly introspected: Map<string, Json>
  /** Signs a token as the provider signs its own. */
  signToken(claims: Json, header?: Partial<JWTHeaderParameters>): Promise<string>
  /** The public key that it signs with, as PEM. */
  publicKey(): Promise<string>
  /** Signs with a new key from now on; the old one is gone. */
  rotateKeys(): Promise<void>
  /** Signs in as a browser does there, and returns the address that it is sent back to. */
  signIn(authorizationUrl: string): Promise<string>
  stop(): Promise<void>
  /** Starts again at the same address. */
  start(): Promise<void>
}

interface Issued {
  readonly redirectUri: string
  readonly challenge: string
  readonly nonce: string | undefined
  spent: boolean
}

const ANN: Json = {
  sub: 'subject-of-ann',
  email: 'ann@example.com',
  email_verified: true,
  name: 'Ann Adams',
  preferred_username: 'ann',
  groups: ['staff'],
}

/** Starts a provider, which stops after the test. */
export async function startHostileProvider(
  clientSecret: string = CLIENT_SECRET,
): Promise<HostileProvider> {
  const counts = new Map<string, number>()
  const codes = new Map<string, Issued>()
  const redeemed: URLSearchParams[] = []
  const introspected = new Map<string, Json>()
  const refreshTokens = new Set<string>()
  let replayed = 0
  let key = await makeKey()
  let issuer = ''

  const sign = (claims: JWTPayload) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'JWT' })
      .sign(key.privateKey)

  /** Form-decodes each part of Basic (RFC 6749 section 2.3.1). */
  function isAuthenticated(request: IncomingMessage, form: URLSearchParams): boolean {
    const { accepts } = provider.lies
    const [, basic = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? []
    const [id, secret] = Buffer.from(basic, 'base64')
      .toString()
      .split(':')
      .map((part) => new URLSearchParams(`it=${part}`).get('it'))
    return (
      (accepts !== 'post' && id === CLIENT_ID && secret === clientSecret) ||
      (accepts !== 'basic' &&
        form.get('client_id') === CLIENT_ID &&
        form.get('client_secret') === clientSecret)
    )
  }

  async function tokensOf(nonce: string | undefined): Promise<Answer> {
    const now = Math.floor(Date.now() / 1000)
    const claims: JWTPayload = {
      iss: issuer,
      aud: CLIENT_ID,
      azp: CLIENT_ID,
      iat: now,
      exp: now + 60,
      ...(nonce !== undefined && { nonce }),
      ...provider.person,
    }
    provider.lies.claims?.(claims)
    const refreshToken = `${REFRESH_TOKEN}-${randomUUID()}`
    refreshTokens.add(refreshToken)
    const answer: Json = {
      access_token: ACCESS_TOKEN,
      refresh_token: refreshToken,
      token_type: 'Bearer',
      expires_in: 60,
      id_token: await (provider.lies.sign ?? sign)(claims),
    }
    provider.lies.tokens?.(answer)
    return { json: answer }
  }

  /** Each refresh token is good once; a person who was disabled has none that is. */
  function refresh(token: string | null): Promise<Answer> | Answer {
    if (token !== null && refreshTokens.delete(token) && !provider.isDisabled)
      return tokensOf(undefined)
    return {
      status: 400,
      json: { error: 'invalid_grant', error_description: 'Token is not active' },
    }
  }

  const routes: Record<string, (url: URL, request: IncomingMessage) => Promise<Answer> | Answer> = {
    '/.well-known/openid-configuration': () => {
      const document: Json = {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        introspection_endpoint: `${issuer}/introspect`,
        userinfo_endpoint: `${issuer}/userinfo`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        // Keycloak offers the HS family, too.
        id_token_signing_alg_values_supported: ['ES256', 'RS256', 'HS256', 'none'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        authorization_response_iss_parameter_supported: true,
      }
      provider.lies.discovery?.(document)
      return { json: document }
    },
    '/authorize': (url) => {
      const asked = url.searchParams
      const code = randomUUID()
      codes.set(code, {
        redirectUri: asked.get('redirect_uri') ?? '',
        challenge: asked.get('code_challenge') ?? '',
        nonce: asked.get('nonce') ?? undefined,
        spent: false,
      })
      const back = new URLSearchParams({ code, iss: issuer, session_state: 'unused' })
      const state = asked.get('state')
      if (state !== null) back.set('state', state)
      provider.lies.redirect?.(back)
      return { status: 302, location: `${asked.get('redirect_uri')}?${back}` }
    },
    '/token': async (_url, request) => {
      const form = new URLSearchParams(await text(request))
      redeemed.push(form)
      if (!isAuthenticated(request, form)) return REFUSED_CLIENT
      if (form.get('grant_type') === 'refresh_token') return refresh(form.get('refresh_token'))
      const issued = codes.get(form.get('code') ?? '')
      if (issued?.spent) replayed += 1
      const problem = codeProblem(issued, form)
      if (!issued || problem) {
        return { status: 400, json: { error: 'invalid_grant', error_description: problem } }
      }
      issued.spent = true
      return tokensOf(issued.nonce)
    },
    '/introspect': async (_url, request) => {
      const form = new URLSearchParams(await text(request))
      if (!isAuthenticated(request, form)) return REFUSED_CLIENT
      const claims = introspected.get(form.get('token') ?? '')
      const answer: Json = claims
        ? { active: true, token_type: 'Bearer', iss: issuer, ...claims }
        : { active: false }
      provider.lies.introspection?.(answer)
      return { json: answer }
    },
    '/userinfo': (_url, request) => {
      if (request.headers.authorization !== `Bearer ${ACCESS_TOKEN}`)
        return { status: 401, json: {} }
      const answer: Json = { ...provider.person, ...provider.userinfo }
      provider.lies.userinfo?.(answer)
      return { json: answer }
    },
    '/jwks': () => {
      const answer: Json = { keys: [{ ...key.jwk, kid: key.kid, alg: 'ES256', use: 'sig' }] }
      provider.lies.keys?.(answer)
      return { json: answer }
    },
  }

  let server = createServer()
  async function serve(port: number): Promise<number> {
    server = createServer(async (request, response) => {
      const url = new URL(request.url ?? '/', issuer)
      counts.set(url.pathname, (counts.get(url.pathname) ?? 0) + 1)
      if (provider.lies.answer?.(request, response)) return
      const answer = (await routes[url.pathname]?.(url, request)) ?? { status: 404, json: {} }
      if (answer === REFUSED_CLIENT && provider.lies.refuseClient) {
        provider.lies.refuseClient(response)
        return
      }
      response.writeHead(answer.status ?? 200, {
        'content-type': 'application/json',
        ...(answer.location !== undefined && { location: answer.location }),
      })
      response.end(answer.json && JSON.stringify(answer.json))
    }).listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no TCP port')
    return address.port
  }
  const stop = async () => {
    server.close()
    server.closeAllConnections()
    if (server.listening) await once(server, 'close')
  }

  const port = await serve(0)
  issuer = `http://127.0.0.1:${port}`
  const provider: HostileProvider = {
    issuer,
    config: {
      type: 'oidc',
      id: 'oidc',
      issuerUrl: issuer,
      clientId: CLIENT_ID,
      clientSecret,
      groupsClaim: 'groups',
      hostedDomains: [],
      tokenClients: [],
      allowInsecure: true,
    },
    person: { ...ANN },
    userinfo: {},
    lies: {},
    isDisabled: false,
    asked: (path) => counts.get(path) ?? 0,
    redeemed,
    get replayed() {
      return replayed
    },
    introspected,
    signToken: (claims, header) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'JWT', ...header })
        .sign(key.privateKey),
    publicKey: () => exportSPKI(key.publicKey),
    async rotateKeys() {
      key = await makeKey()
    },
    async signIn(authorizationUrl) {
      const answer = await fetch(authorizationUrl, { redirect: 'manual' })
      const location = answer.headers.get('location')
      if (location === null) throw new Error(`the provider answered ${answer.status}`)
      return location
    },
    stop,
    start: async () => void (await serve(port)),
  }
  afterTest(() => provider.stop())
  return provider
}

interface Answer {
  readonly status?: number
  readonly json?: Json
  readonly location?: string
}

const REFUSED_CLIENT: Answer = { status: 401, json: { error: 'invalid_client' } }

async function makeKey() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { privateKey, publicKey, kid: randomUUID(), jwk: await exportJWK(publicKey) }
}

function codeProblem(issued: Issued | undefined, form: URLSearchParams): string | undefined {
  if (!issued || issued.spent) return 'Code not valid'
  if (form.get('redirect_uri') !== issued.redirectUri) return 'Incorrect redirect_uri'
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url')
  return challenge === issued.challenge ? undefined : 'PKCE verification failed: Code mismatch'
}

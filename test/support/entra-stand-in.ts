/**
 * Microsoft Entra ID and Graph on loopback, by their documentation: authorities of a tenant and of all organisations, an
 * issuer with a placeholder, keys that name their issuer. It does everything right until a test changes an answer.
 *
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { EntraProviderConfig } from '../../src/providers/provider-config.ts'
import { afterTest } from './clean-ups.ts'

type Json = Record<string, unknown>

export const ENTRA_CLIENT = { id: '6731de76-14a6-49ae-97bc-6eba6914391e', secret: 'a8Q~secret' }
export const CONTOSO = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'
export const FABRIKAM = '72f988bf-86f1-41af-91ab-2d7cd011db47'
export const OID = '690222be-ff1a-4d56-abd1-7e4f7d38e474'
export const STAFF = 'fee2c45b-915a-4a64-b130-f4eb9e75525e'
export const COOKS = '4fe90ae7-065a-478b-9400-e0a0e1cbd540'

export interface EntraStandIn {
  readonly base: string
  readonly graph: string
  /** For `testConfig`, with a single tenant. */
  readonly config: EntraProviderConfig
  /** The tenant of the person who signs in next. */
  tenant: string
  /** The claims of the person, beside those of every token. */
  person: Json
  /** The issuer that the key names; the placeholder unless a test says another. */
  keyIssuer: string | undefined
  /** The ids that Graph lists. */
  members: readonly string[]
  /** True if the token may ask Graph for members. */
  mayListMembers: boolean
  /** True once an administrator blocked the sign-in of the person. */
  isDisabled: boolean
  /** Request lines of Graph so far, with their bodies. */
  readonly graphCalls: readonly string[]
  /** Authorization requests so far. */
  readonly asked: readonly URL[]
  /** Answers in place of everything else; true if it answered. */
  answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  signIn(authorizationUrl: string): Promise<string>
}

interface Answer {
  readonly status?: number
  readonly json?: unknown
  readonly headers?: Record<string, string>
}

/** The same key for all: making a key takes longer than most tests. */
const keyPair = generateKeyPair('RS256')

/** Starts Entra, which stops after the test. */
export async function startEntra(): Promise<EntraStandIn> {
  const { publicKey, privateKey } = await keyPair
  const codes = new Map<string, URLSearchParams>()
  const tokens = new Set<string>()
  const refreshTokens = new Set<string>()
  const graphCalls: string[] = []
  const asked: URL[] = []

  async function login(url: URL, request: IncomingMessage): Promise<Answer> {
    const [, authority = '', rest = ''] = /^\/([^/]+)\/(.*)$/.exec(url.pathname) ?? []
    const root = `${entra.base}/${authority}`
    switch (rest) {
      case 'v2.0/.well-known/openid-configuration':
        return {
          json: {
            issuer: `${entra.base}/${authority === 'organizations' ? '{tenantid}' : authority}/v2.0`,
            authorization_endpoint: `${root}/oauth2/v2.0/authorize`,
            token_endpoint: `${root}/oauth2/v2.0/token`,
            jwks_uri: `${root}/discovery/v2.0/keys`,
            userinfo_endpoint: `${entra.graph}/oidc/userinfo`,
            end_session_endpoint: `${root}/oauth2/v2.0/logout`,
            token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
            response_types_supported: ['code', 'id_token'],
            subject_types_supported: ['pairwise'],
            id_token_signing_alg_values_supported: ['RS256'],
          },
        }
      case 'discovery/v2.0/keys': {
        const issuer = entra.keyIssuer
        const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1', use: 'sig', alg: 'RS256' }
        return { json: { keys: [{ ...jwk, ...(issuer !== undefined && { issuer }) }] } }
      }
      case 'oauth2/v2.0/authorize': {
        asked.push(url)
        const code = `0.${randomBytes(20).toString('base64url')}`
        codes.set(code, url.searchParams)
        const back = new URL(url.searchParams.get('redirect_uri') ?? '')
        const state = url.searchParams.get('state') ?? ''
        back.search = new URLSearchParams({ code, state, session_state: 'x' }).toString()
        return { status: 302, headers: { location: back.href } }
      }
      case 'oauth2/v2.0/token':
        return redeem(new URLSearchParams(await text(request)))
      default:
        return { status: 404, json: {} }
    }
  }

  async function redeem(form: URLSearchParams): Promise<Answer> {
    if (form.get('client_secret') !== ENTRA_CLIENT.secret) {
      return { status: 401, json: { error: 'invalid_client', error_description: 'AADSTS7000215' } }
    }
    if (form.get('grant_type') === 'refresh_token') {
      if (!refreshTokens.delete(form.get('refresh_token') ?? '') || entra.isDisabled) {
        const error_description = 'AADSTS50057: The user account is disabled.'
        return { status: 400, json: { error: 'invalid_grant', error_description } }
      }
      return tokensOf(undefined, 'offline_access')
    }
    const query = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '')
    if (query?.get('code_challenge') !== challenge.digest('base64url')) {
      return { status: 400, json: { error: 'invalid_grant', error_description: 'AADSTS70008' } }
    }
    return tokensOf(query?.get('nonce') ?? undefined, query?.get('scope') ?? '')
  }

  async function tokensOf(nonce: string | undefined, scope: string): Promise<Answer> {
    const now = Math.floor(Date.now() / 1000)
    const idToken = await new SignJWT({
      ver: '2.0',
      iss: `${entra.base}/${entra.tenant}/v2.0`,
      sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
      aud: ENTRA_CLIENT.id,
      iat: now,
      nbf: now,
      exp: now + 3600,
      nonce,
      tid: entra.tenant,
      oid: OID,
      ...entra.person,
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'key-1', typ: 'JWT' })
      .sign(privateKey)
    const access = randomBytes(40).toString('base64url')
    tokens.add(access)
    const refreshToken = `1.${randomBytes(40).toString('base64url')}`
    refreshTokens.add(refreshToken)
    return {
      json: {
        token_type: 'Bearer',
        expires_in: 3599,
        access_token: access,
        id_token: idToken,
        ...(scope.split(' ').includes('offline_access') && { refresh_token: refreshToken }),
      },
    }
  }

  async function microsoftGraph(url: URL, request: IncomingMessage): Promise<Answer> {
    const body = await text(request)
    graphCalls.push(`${request.method} ${request.url} ${body}`)
    const [, bearer = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
    if (!tokens.has(bearer)) {
      return { status: 401, json: { error: { code: 'InvalidAuthenticationToken' } } }
    }
    if (url.pathname !== '/v1.0/me/getMemberObjects' || request.method !== 'POST') {
      return { status: 404, json: { error: { code: 'ResourceNotFound' } } }
    }
    if (!entra.mayListMembers) {
      const message = 'Insufficient privileges to complete the operation.'
      return { status: 403, json: { error: { code: 'Authorization_RequestDenied', message } } }
    }
    if (typeof JSON.parse(body).securityEnabledOnly !== 'boolean') return { status: 400 }
    return { json: { '@odata.context': '...', value: entra.members } }
  }

  const servers: Server[] = []
  const origins: string[] = []
  for (const route of [login, microsoftGraph]) {
    const server = createServer(async (request, response) => {
      if (entra.answer?.(request, response)) return
      const url = new URL(request.url ?? '/', 'http://entra')
      const { status = 200, json, headers } = await route(url, request)
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
      response.end(json === undefined ? undefined : JSON.stringify(json))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no TCP port')
    servers.push(server)
    origins.push(`http://127.0.0.1:${address.port}`)
  }
  const [base = '', graph = ''] = origins

  const entra: EntraStandIn = {
    base,
    graph,
    config: {
      type: 'entra',
      id: 'entra',
      issuerUrl: `${base}/${CONTOSO}/v2.0`,
      baseUrl: base,
      graphUrl: graph,
      tenants: [CONTOSO],
      clientId: ENTRA_CLIENT.id,
      clientSecret: ENTRA_CLIENT.secret,
      verifiedDomains: [],
      namedGroups: [],
      allowInsecure: true,
    },
    tenant: CONTOSO,
    person: {
      name: 'Ann Adams',
      preferred_username: 'ann@contoso.example',
      email: 'ann@contoso.example',
      xms_edov: true,
      groups: [STAFF],
    },
    keyIssuer: `${base}/{tenantid}/v2.0`,
    members: [],
    mayListMembers: true,
    isDisabled: false,
    graphCalls,
    asked,
    answer: undefined,
    async signIn(authorizationUrl) {
      const answer = await fetch(authorizationUrl, { redirect: 'manual' })
      const location = answer.headers.get('location')
      if (location === null) throw new Error(`Entra answered ${answer.status}`)
      return location
    },
  }
  afterTest(async () => {
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
      if (server.listening) await once(server, 'close')
    }
  })
  return entra
}

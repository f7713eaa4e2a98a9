/**
 * GitHub on loopback, by its documentation: the site with its sign-in on one origin, the REST API on another. It does
 * everything right until a test changes an answer.
 *
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { GithubProviderConfig } from '../../src/providers/provider-config.ts'
import { afterTest } from './clean-ups.ts'

type Json = Record<string, unknown>

export const GITHUB_CLIENT = { id: 'Ov23liTests', secret: 'the-secret-of-the-github-app' }

/** An account; tests change it between two sign-ins. */
export interface GithubAccount {
  id: unknown
  login: string
  name: string | null
  /** The address of the public profile, which anybody may read and nobody verified. */
  publicEmail: string | null
  emails: { email: unknown; primary: unknown; verified: unknown }[]
  organisations: string[]
  /** `org/team`. */
  teams: string[]
}

export const octoAnn = (): GithubAccount => ({
  id: 583_231,
  login: 'OctoAnn',
  name: 'Ann Adams',
  publicEmail: 'boss@example.com',
  emails: [
    { email: 'ann@private.example', primary: false, verified: true },
    { email: 'ann@example.com', primary: true, verified: true },
  ],
  organisations: ['Acme'],
  teams: ['Acme/backend'],
})

interface Call {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

export interface GithubStandIn {
  readonly site: string
  readonly api: string
  /** For `testConfig`; memberships of ann's organisation count. */
  readonly config: GithubProviderConfig
  /** The person who signs in next. */
  account: GithubAccount
  /** Requests of the API so far. */
  readonly calls: readonly Call[]
  /** Forms of the token requests so far. */
  readonly redeemed: readonly URLSearchParams[]
  /** True for a GitHub App whose tokens last eight hours. */
  expires: boolean
  /** Ends every token so far, as the person can at GitHub. */
  endTokens(): void
  /** Changes the answer with the token. */
  tokens: ((answer: Json) => void) | undefined
  /** Entries on a page, whatever the request wants. */
  pageSize: number
  /** More headers of every answer of the API. */
  apiHeaders: Record<string, string>
  /** Answers in place of everything else; true if it answered. */
  answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  /** Signs in as a browser does there, and returns the address that it is sent back to. */
  signIn(authorizationUrl: string): Promise<string>
}

interface Answer {
  readonly status?: number
  readonly json?: unknown
  readonly headers?: Record<string, string>
}

/** Starts GitHub, which stops after the test. */
export async function startGithub(): Promise<GithubStandIn> {
  const codes = new Map<string, { query: URLSearchParams; spent: boolean }>()
  const tokens = new Map<string, { scopes: readonly string[] }>()
  const refreshTokens = new Map<string, readonly string[]>()
  const calls: Call[] = []
  const redeemed: URLSearchParams[] = []

  async function site(url: URL, request: IncomingMessage): Promise<Answer> {
    if (url.pathname === '/login/oauth/authorize') {
      const query = url.searchParams
      if (query.get('client_id') !== GITHUB_CLIENT.id) return { status: 404 }
      const code = randomBytes(10).toString('hex')
      codes.set(code, { query, spent: false })
      const back = new URL(query.get('redirect_uri') ?? '')
      back.search = new URLSearchParams({ code, state: query.get('state') ?? '' }).toString()
      return { status: 302, headers: { location: back.href } }
    }
    if (url.pathname !== '/login/oauth/access_token' || request.method !== 'POST') {
      return { status: 404 }
    }
    const form = new URLSearchParams(await text(request))
    redeemed.push(form)
    // GitHub answers these errors with 200.
    if (form.get('client_secret') !== GITHUB_CLIENT.secret) {
      return {
        json: {
          error: 'incorrect_client_credentials',
          error_description: 'The client_id and/or client_secret passed are incorrect.',
        },
      }
    }
    if (form.get('grant_type') === 'refresh_token') {
      const scopes = refreshTokens.get(form.get('refresh_token') ?? '')
      refreshTokens.delete(form.get('refresh_token') ?? '')
      if (scopes) return tokensOf(scopes)
      const error_description = 'The refresh token passed is incorrect or expired.'
      return { json: { error: 'bad_refresh_token', error_description } }
    }
    const code = codes.get(form.get('code') ?? '')
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '')
    if (
      !code ||
      code.spent ||
      code.query.get('redirect_uri') !== form.get('redirect_uri') ||
      code.query.get('code_challenge_method') !== 'S256' ||
      code.query.get('code_challenge') !== challenge.digest('base64url')
    ) {
      return {
        json: {
          error: 'bad_verification_code',
          error_description: 'The code passed is incorrect or expired.',
        },
      }
    }
    code.spent = true
    return tokensOf((code.query.get('scope') ?? '').split(' '))
  }

  function tokensOf(scopes: readonly string[]): Answer {
    const token = `gho_${randomBytes(18).toString('hex')}`
    tokens.set(token, { scopes })
    const answer: Json = { access_token: token, scope: scopes.join(','), token_type: 'bearer' }
    if (github.expires) {
      const refreshToken = `ghr_${randomBytes(18).toString('hex')}`
      refreshTokens.set(refreshToken, scopes)
      Object.assign(answer, {
        expires_in: 28_800,
        refresh_token: refreshToken,
        refresh_token_expires_in: 15_897_600,
      })
    }
    github.tokens?.(answer)
    return { json: answer }
  }

  function api(url: URL, request: IncomingMessage): Answer {
    const [, bearer = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
    const token = tokens.get(bearer)
    if (!request.headers['user-agent']) return { status: 403, json: { message: 'no user agent' } }
    if (!token) return { status: 401, json: { message: 'Bad credentials' } }
    const headers = { 'x-oauth-scopes': token.scopes.join(', '), ...github.apiHeaders }
    const lacks = (scope: string) => !token.scopes.includes(scope)
    const { account } = github
    switch (url.pathname) {
      case '/user':
        return {
          headers,
          json: {
            login: account.login,
            id: account.id,
            type: 'User',
            name: account.name,
            email: account.publicEmail,
          },
        }
      case '/user/emails':
        if (lacks('user:email')) return refusal(404, headers, 'user:email')
        return page(account.emails, url, headers)
      case '/user/orgs': {
        if (lacks('read:org')) return refusal(403, headers, 'read:org')
        const orgs = account.organisations.map((login, at) => ({ login, id: 9_000 + at }))
        return page(orgs, url, headers)
      }
      case '/user/teams': {
        if (lacks('read:org')) return refusal(404, headers, 'read:org')
        const teams = account.teams.map((team, at) => {
          const [login, slug] = team.split('/')
          return { id: at, name: `The ${slug}`, slug, organization: { login, id: 9_000 } }
        })
        return page(teams, url, headers)
      }
      default:
        return { status: 404, json: { message: 'Not Found' } }
    }
  }

  function page(all: readonly unknown[], url: URL, headers: Record<string, string>): Answer {
    const size = Math.min(github.pageSize, Number(url.searchParams.get('per_page') ?? 30))
    const number = Number(url.searchParams.get('page') ?? 1)
    const json = all.slice((number - 1) * size, number * size)
    if (number * size >= all.length) return { json, headers }
    const next = new URL(url.pathname + url.search, github.api)
    next.searchParams.set('page', String(number + 1))
    return {
      json,
      headers: { link: `<${github.api}/x?page=1>; rel="prev", <${next}>; rel="next"`, ...headers },
    }
  }

  const servers: Server[] = []
  const origins: string[] = []
  for (const route of [site, api]) {
    const server = createServer(async (request, response) => {
      const url = new URL(request.url ?? '/', 'http://github')
      if (route === api) {
        calls.push({
          method: request.method ?? '',
          url: request.url ?? '',
          headers: request.headers,
        })
      }
      if (github.answer?.(request, response)) return
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
  const [siteUrl = '', apiUrl = ''] = origins

  const github: GithubStandIn = {
    site: siteUrl,
    api: apiUrl,
    config: {
      type: 'github',
      id: 'github',
      issuerUrl: siteUrl,
      apiUrl,
      clientId: GITHUB_CLIENT.id,
      clientSecret: GITHUB_CLIENT.secret,
      scopes: ['user:email', 'read:org'],
      organisations: ['acme'],
    },
    account: octoAnn(),
    calls,
    redeemed,
    expires: false,
    endTokens: () => tokens.clear(),
    tokens: undefined,
    pageSize: 100,
    apiHeaders: {},
    answer: undefined,
    async signIn(authorizationUrl) {
      const answer = await fetch(authorizationUrl, { redirect: 'manual' })
      const location = answer.headers.get('location')
      if (location === null) throw new Error(`GitHub answered ${answer.status}`)
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
  return github
}

const refusal = (status: number, headers: Record<string, string>, needed: string): Answer => ({
  status,
  headers: { 'x-accepted-oauth-scopes': needed, ...headers },
  json: { message: 'Not Found', documentation_url: 'https://docs.github.com/rest' },
})

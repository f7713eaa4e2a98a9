/**
 * An OAuth client and the person in front of it, over `inject`: registers, asks, signs in, redeems.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { type Browser, createBrowser, formAction, hiddenField, refreshTarget } from './browser.ts'
import { PASSWORD } from './build-app.ts'

export const REDIRECT_URI = 'http://127.0.0.1:33418/callback'
export const VERIFIER = 'a-code-verifier-of-at-least-forty-three-characters'
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')
export const RESOURCE = 'https://mcp.example.com/notes/mcp'

export interface RegisteredClient {
  readonly client_id: string
  readonly client_secret?: string
}

/** Registers a public client with one loopback redirect, changed as a test needs it. */
export async function register(
  app: FastifyInstance,
  metadata: Record<string, unknown> = {},
): Promise<RegisteredClient> {
  const response = await app.inject({
    method: 'POST',
    url: '/register',
    payload: {
      client_name: 'Test client',
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: 'none',
      ...metadata,
    },
  })
  if (response.statusCode !== 201) throw new Error(`registration failed: ${response.body}`)
  return response.json()
}

/** The URL of an authorization request; undefined members are left out. */
export function authorizeUrl(
  client: RegisteredClient,
  changes: Record<string, string | undefined> = {},
): string {
  const parameters = {
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: REDIRECT_URI,
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    state: 'the-state',
    resource: RESOURCE,
    ...changes,
  }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, value)
  }
  return `/authorize?${query}`
}

/** Opens the consent page, allows, and arrives at the login page. */
export async function consentTo(browser: Browser, url: string): Promise<LightMyRequestResponse> {
  const consent = await browser.get(url)
  const approved = await browser.post(formAction(consent.body), {
    interaction: hiddenField(consent.body, 'interaction'),
    decision: 'approve',
  })
  return browser.get(refreshTarget(approved.body), { 'sec-fetch-site': 'same-origin' })
}

/** Consents and types name and password. */
export async function signIn(
  browser: Browser,
  url: string,
  person: { name?: string; password?: string } = {},
): Promise<LightMyRequestResponse> {
  const login = await consentTo(browser, url)
  return browser.post(formAction(login.body), {
    interaction: hiddenField(login.body, 'interaction'),
    username: person.name ?? 'ann',
    password: person.password ?? PASSWORD,
  })
}

/** The code in the redirect to the client. */
export function codeOf(response: LightMyRequestResponse): string {
  const code = new URL(String(response.headers.location)).searchParams.get('code')
  if (!code) throw new Error(`no code in ${response.headers.location}: ${response.body}`)
  return code
}

/** Posts a form; undefined members are left out. */
export function postForm(
  app: FastifyInstance,
  url: string,
  parameters: Record<string, string | undefined>,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) form.set(name, value)
  }
  return app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: form.toString(),
  })
}

/** Posts to the token endpoint; undefined members are left out. */
export function token(
  app: FastifyInstance,
  parameters: Record<string, string | undefined>,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  return postForm(app, '/token', parameters, headers)
}

/** Redeems a code. */
export function redeem(
  app: FastifyInstance,
  client: RegisteredClient,
  code: string,
  changes: Record<string, string | undefined> = {},
): Promise<LightMyRequestResponse> {
  return token(app, {
    grant_type: 'authorization_code',
    client_id: client.client_id,
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
    ...changes,
  })
}

/** Redeems a refresh token. */
export function refresh(
  app: FastifyInstance,
  client: RegisteredClient,
  refreshToken: string,
  changes: Record<string, string | undefined> = {},
): Promise<LightMyRequestResponse> {
  return token(app, {
    grant_type: 'refresh_token',
    client_id: client.client_id,
    refresh_token: refreshToken,
    ...changes,
  })
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_in: number
  readonly scope: string
}

/** Goes the whole way: registers, signs ann in, redeems. */
export async function obtainTokens(
  app: FastifyInstance,
  options: {
    client?: RegisteredClient
    person?: { name?: string; password?: string }
    authorize?: Record<string, string | undefined>
  } = {},
): Promise<{ client: RegisteredClient; tokens: Tokens; browser: Browser }> {
  const client = options.client ?? (await register(app))
  const browser = createBrowser(app)
  const answer = await signIn(browser, authorizeUrl(client, options.authorize), options.person)
  const response = await redeem(app, client, codeOf(answer))
  if (response.statusCode !== 200) throw new Error(`no token: ${response.body}`)
  return { client, tokens: response.json(), browser }
}

/** Revokes a token; undefined members are left out. */
export function revoke(
  app: FastifyInstance,
  client: RegisteredClient,
  revoked: string | undefined,
  changes: Record<string, string | undefined> = {},
): Promise<LightMyRequestResponse> {
  const { client_id, client_secret } = client
  return postForm(app, '/revoke', { client_id, client_secret, token: revoked, ...changes })
}

/** Introspects a token; undefined members are left out. */
export function introspect(
  app: FastifyInstance,
  client: RegisteredClient,
  asked: string | undefined,
  changes: Record<string, string | undefined> = {},
): Promise<LightMyRequestResponse> {
  const { client_id, client_secret } = client
  return postForm(app, '/introspect', { client_id, client_secret, token: asked, ...changes })
}

/** Asks the forward-auth endpoint as Traefik does. */
export function check(
  app: FastifyInstance,
  headers: Record<string, string | undefined> = {},
  url = '/auth/traefik',
): Promise<LightMyRequestResponse> {
  const asked: Record<string, string> = {}
  const all = {
    'x-forwarded-method': 'POST',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'mcp.example.com',
    'x-forwarded-uri': '/notes/mcp',
    ...headers,
  }
  for (const [name, value] of Object.entries(all)) if (value !== undefined) asked[name] = value
  return app.inject({ url, headers: asked })
}

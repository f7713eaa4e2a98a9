/**
 * An OAuth client for tests that take its steps one by one.
 *
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type Credentials, createBrowser } from './browser.ts'
import { type Exchange, exchange } from './http-exchange.ts'

export interface HandClient {
  readonly clientId: string
  readonly state: string
  authorizationUrl(): URL
  /** Redeems the code of a callback. */
  redeem(callback: URL): Promise<Exchange>
  /** @param changes further parameters */
  refresh(refreshToken: string, changes?: Readonly<Record<string, string>>): Promise<Exchange>
}

const Registered = z.object({ client_id: z.string() })
const Tokens = z.object({ access_token: z.string(), refresh_token: z.string() })
export type Tokens = z.infer<typeof Tokens>

/** A redirect URI where no process listens, for browsers that stop before the callback. */
const UNHEARD = 'http://127.0.0.1:9/callback'

/** Registers a public client with a redirect URI, for a resource. */
export async function registerClient(options: {
  issuer: string
  resource: string
  redirectUri?: string
  name?: string
}): Promise<HandClient> {
  const { issuer, resource, redirectUri = UNHEARD, name = 'Hand client' } = options
  const registration = await exchange(new URL('/register', issuer), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: name,
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    }),
  })
  if (registration.status !== 201) throw new Error(`not registered: ${registration.body}`)
  const clientId = Registered.parse(JSON.parse(registration.body)).client_id
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(8).toString('base64url')

  const token = (parameters: Readonly<Record<string, string>>) =>
    exchange(new URL('/token', issuer), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ client_id: clientId, resource, ...parameters }).toString(),
    })

  return {
    clientId,
    state,
    authorizationUrl() {
      const url = new URL('/authorize', issuer)
      url.search = new URLSearchParams({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        state,
        resource,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      }).toString()
      return url
    },
    redeem: (callback) =>
      token({
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }),
    refresh: (refreshToken, changes) =>
      token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...changes }),
  }
}

/** @throws Error with the answer, if it has no tokens */
export function readTokens(answer: Pick<Exchange, 'status' | 'body'>): Tokens {
  if (answer.status !== 200) throw new Error(`no tokens (${answer.status}): ${answer.body}`)
  return Tokens.parse(JSON.parse(answer.body))
}

/** Registers a client, signs a person in, redeems the code. */
export async function signInByHand(options: {
  issuer: string
  resource: string
  person: Credentials
}): Promise<{ client: HandClient; tokens: Tokens; callback: URL }> {
  const client = await registerClient(options)
  const callback = await createBrowser().signIn(client.authorizationUrl(), {
    ...options.person,
    deliver: false,
  })
  return { client, callback, tokens: readTokens(await client.redeem(callback)) }
}

/** Sends a `GET` with a token to a protected address; the status tells whether the token was accepted. */
export function callWith(accessToken: string, url: string): Promise<Exchange> {
  return exchange(new URL(url), { headers: { authorization: `Bearer ${accessToken}` } })
}

/** Sends `initialize` to an MCP server with a token, as a client of 2025-06-18 does. */
export function initializeWith(accessToken: string, url: string): Promise<Exchange> {
  return exchange(new URL(url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'hand-client', version: '1.0.0' },
      },
    }),
  })
}

/**
 * Calls the tool `echo` in one request, which needs a server without sessions.
 * @returns the text of its answer
 * @throws Error with the answer, if it has no text
 */
export async function echoWith(
  accessToken: string,
  { url, revision }: { readonly url: string; readonly revision: string },
): Promise<string> {
  const answer = await exchange(new URL(url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': revision,
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'echo', arguments: { message: 'hello' } },
    }),
  })
  const text = /"text":"([^"]*)"/.exec(answer.body)?.[1]
  if (text === undefined) throw new Error(`no echo (${answer.status}): ${answer.body}`)
  return text
}

/**
 * Uses `@n8n/client-oauth2` as n8n does for a credential *MCP OAuth2*: n8n registers itself, and leaves the rest to it.
 *
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { exchange } from './http-exchange.ts'
import { toolPath } from './tools.ts'

/** A token of the library. */
interface Token {
  readonly accessToken: string
  readonly refreshToken: string
  refresh(): Promise<Token>
}
interface Client {
  readonly code: {
    getUri(options?: object): string
    getToken(callback: string, options?: object): Promise<Token>
  }
}
/** The parts of the library that we use: its own types need its own dependencies. */
const Library = z.object({
  ClientOAuth2: z.custom<new (options: object) => Client>((value) => typeof value === 'function'),
})
const Metadata = z.object({
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  registration_endpoint: z.string(),
})
const Registered = z.object({ client_id: z.string(), client_secret: z.string().optional() })

/** n8n's callback, where nobody listens here. */
const REDIRECT_URI = 'https://n8n.example.org/rest/oauth2-credential/callback'

/**
 * Registers and signs in.
 * @param options `method`: n8n takes the first that the server lists and it knows, or what people choose
 */
export async function signInAsN8n(options: {
  readonly issuer: string
  readonly method: 'none' | 'client_secret_post' | 'client_secret_basic'
  /** Takes a person to the callback and returns its address. */
  readonly signIn: (url: URL) => Promise<URL>
}): Promise<Token> {
  const { issuer, method, signIn } = options
  const folder = join(toolPath('clients'), 'n8n/node_modules/@n8n/client-oauth2')
  const { ClientOAuth2 } = Library.parse(
    await import(pathToFileURL(join(folder, 'dist/index.js')).href),
  )
  const well = await exchange(new URL('/.well-known/oauth-authorization-server', issuer))
  const metadata = Metadata.parse(JSON.parse(well.body))
  const answer = await exchange(new URL(metadata.registration_endpoint), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: method,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      client_name: 'n8n',
      client_uri: 'https://n8n.io/',
      scope: '',
    }),
  })
  const { client_id, client_secret = '' } = Registered.parse(JSON.parse(answer.body))
  const state = Buffer.from(JSON.stringify({ token: 't'.repeat(43), cid: '1' })).toString('base64')
  const client = new ClientOAuth2({
    clientId: client_id,
    clientSecret: client_secret,
    accessTokenUri: metadata.token_endpoint,
    authorizationUri: metadata.authorization_endpoint,
    authentication: method === 'client_secret_basic' ? 'header' : 'body',
    redirectUri: REDIRECT_URI,
    scopes: [''],
    state,
  })
  const code_verifier = randomBytes(32).toString('base64url')
  const challenge = {
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }
  const callback = await signIn(new URL(client.code.getUri({ query: challenge })))
  return client.code.getToken(callback.href, { body: { code_verifier } })
}

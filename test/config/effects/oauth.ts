/**
 * The effects of the settings for clients, scopes, secrets and lifetimes.
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'vitest'
import { createBrowser } from '../../support/browser.ts'
import type { TestApp } from '../../support/build-app.ts'
import { startDocumentHost } from '../../support/document-host.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  obtainTokens,
  REDIRECT_URI,
  RESOURCE,
  type RegisteredClient,
  redeem,
  refresh,
  register,
  signIn,
} from '../../support/oauth-client.ts'
import { metadata } from './server.ts'
import { type Effect, start, startFile } from './start.ts'

const FIRST_SECRET = 'the first root secret of these tests'
const STATIC_TOKEN = 'a-token-of-a-script-0123456789abcdef'
const SECOND_SECRET = 'the second root secret of these tests'

/** The status of an authorization request: 200, the consent page, if the gateway knows the client. */
async function consentStatus({ app, config }: TestApp, client: RegisteredClient): Promise<number> {
  const headers = { host: config.publicUrl.host }
  return (await app.inject({ url: authorizeUrl(client), headers })).statusCode
}

/** A client whose document is at a host. */
const documented = (host: string) => ({ client_id: `https://${host}/client.json` })

async function challengedScope({ app }: TestApp): Promise<string | undefined> {
  return /scope="([^"]*)"/.exec(String((await check(app)).headers['www-authenticate']))?.[1]
}

/** The status of a refresh after `seconds`. */
async function refreshAfter(env: Record<string, string>, seconds: number): Promise<number> {
  const { app, clock } = await start(env)
  const { client, tokens } = await obtainTokens(app)
  clock.advance(seconds)
  return (await refresh(app, client, tokens.refresh_token)).statusCode
}

export const oauth: Record<
  | 'allowed_scopes'
  | 'required_scopes'
  | 'secret'
  | 'secret_previous'
  | 'signing_key'
  | 'access_token_lifetime'
  | 'grant_lifetime'
  | 'grant_idle'
  | 'refresh_grace'
  | 'client_registration'
  | 'client_lifetime'
  | 'client_metadata_hosts'
  | 'client_metadata_denied_hosts'
  | 'client_metadata_pinned'
  | 'client_metadata_loopback'
  | 'mcpauth_bootstrap_clients'
  | 'static_bearer_tokens'
  | 'revoke_before',
  Effect
> = {
  async allowed_scopes() {
    const { scopes_supported } = await metadata(await start({ ALLOWED_SCOPES: 'read,write' }))
    expect(scopes_supported).toEqual(['read', 'write', 'offline_access'])
  },

  async required_scopes() {
    expect(await challengedScope(await start({}))).toBe('mcp')
    expect(await challengedScope(await start({ REQUIRED_SCOPES: 'notes:read' }))).toBe('notes:read')
  },

  async secret() {
    const first = await start({ SECRET: FIRST_SECRET })
    const client = await register(first.app)
    expect(await consentStatus(await start({ SECRET: FIRST_SECRET }), client)).toBe(200)
    expect(await consentStatus(await start({ SECRET: SECOND_SECRET }), client)).toBe(400)
  },

  async secret_previous() {
    const client = await register((await start({ SECRET: FIRST_SECRET })).app)
    const changed = await start({ SECRET: SECOND_SECRET, SECRET_PREVIOUS: FIRST_SECRET })
    expect(await consentStatus(changed, client)).toBe(200)
  },

  async signing_key() {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const { x } = privateKey.export({ format: 'jwk' })
    for (const value of [pem, Buffer.from(pem).toString('base64')]) {
      const { app } = await start({ SIGNING_KEY: value })
      expect((await app.inject('/jwks')).body).toContain(x)
    }
  },

  async access_token_lifetime() {
    const { app, clock } = await start({ ACCESS_TOKEN_LIFETIME: '5m' })
    const { tokens } = await obtainTokens(app)
    expect(tokens.expires_in).toBe(300)
    clock.advance(301)
    const answer = await check(app, { authorization: `Bearer ${tokens.access_token}` })
    expect(answer.statusCode).toBe(401)
  },

  async grant_lifetime() {
    expect(await refreshAfter({}, 3601)).toBe(200)
    expect(await refreshAfter({ GRANT_LIFETIME: '1h' }, 3601)).toBe(400)
  },

  async grant_idle() {
    expect(await refreshAfter({ GRANT_IDLE: '1h' }, 3601)).toBe(400)
  },

  async refresh_grace() {
    const repeated = async (env: Record<string, string>) => {
      const { app, clock } = await start(env)
      const { client, tokens } = await obtainTokens(app)
      const successor = async () =>
        (await refresh(app, client, tokens.refresh_token)).json().refresh_token
      const first = await successor()
      clock.advance(30)
      return (await successor()) === first
    }
    expect(await repeated({})).toBe(true)
    expect(await repeated({ REFRESH_GRACE: '20s' })).toBe(false)
  },

  async client_registration() {
    const app = await start({ CLIENT_REGISTRATION: 'off' })
    await expect(register(app.app)).rejects.toThrow('access_denied')
    expect(await metadata(app)).not.toHaveProperty('registration_endpoint')
  },

  async client_metadata_hosts() {
    const app = await start({ CLIENT_METADATA_HOSTS: 'claude.invalid' })
    expect(await metadata(app)).toHaveProperty('client_id_metadata_document_supported', true)
    // The name does not resolve: 503 says that its document would have been fetched.
    expect(await consentStatus(app, documented('claude.invalid'))).toBe(503)
    expect(await consentStatus(app, documented('other.invalid'))).toBe(400)
    const off = await start({ CLIENT_METADATA_HOSTS: 'off' })
    expect(await metadata(off)).not.toHaveProperty('client_id_metadata_document_supported')
  },

  async client_metadata_denied_hosts() {
    const app = await start({ CLIENT_METADATA_DENIED_HOSTS: 'evil.invalid' })
    expect(await consentStatus(app, documented('good.invalid'))).toBe(503)
    expect(await consentStatus(app, documented('a.evil.invalid'))).toBe(400)
  },

  async client_metadata_pinned() {
    const client = documented('pinned.invalid')
    const document = { ...client, client_name: 'Pinned', redirect_uris: [REDIRECT_URI] }
    const app = await startFile(
      `resources: { notes: { url: "${RESOURCE}" } }\nallow: { emails: [ann@example.com] }\nclient_metadata_pinned: [pinned.json]\n`,
      { files: { '/srv/pinned.json': JSON.stringify(document) } },
    )
    expect(await consentStatus(app, client)).toBe(200)
  },

  async client_metadata_loopback() {
    const host = await startDocumentHost()
    const client = host.publish()
    const settings = { PUBLIC_URL: 'http://localhost:11000', CLIENT_METADATA_LOOPBACK: 'true' }
    expect(await consentStatus(await start(settings), client)).toBe(200)
    expect(await consentStatus(await start({}), client)).toBe(400)
    expect(host.asked).toHaveLength(1)
  },

  async client_lifetime() {
    const app = await start({ CLIENT_LIFETIME: '1d' })
    const client = await register(app.app)
    app.clock.advance(86_399)
    expect(await consentStatus(app, client)).toBe(200)
    app.clock.advance(1)
    expect(await consentStatus(app, client)).toBe(400)
  },

  async mcpauth_bootstrap_clients() {
    const secret = { client_secret: 'a client secret of mcpauth' }
    const client = { client_id: 'ci', ...secret, redirect_uris: [REDIRECT_URI] }
    const app = await start({ MCPAUTH_BOOTSTRAP_CLIENTS: JSON.stringify([client]) })
    const code = codeOf(await signIn(createBrowser(app.app), authorizeUrl(client)))
    expect((await redeem(app.app, client, code, secret)).json().scope).toBe('mcp')
    expect((await redeem(app.app, client, code)).json().error).toBe('invalid_client')
  },

  async static_bearer_tokens() {
    const { app } = await start({ STATIC_BEARER_TOKENS: `ci:${STATIC_TOKEN}` })
    const answer = await check(app, { authorization: `Bearer ${STATIC_TOKEN}` })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['x-forwarded-user']).toBe('ci')
  },

  async revoke_before() {
    const before = await start({})
    const { client, tokens } = await obtainTokens(before.app)
    const after = await start({ REVOKE_BEFORE: '2026-11-21T09:00:01Z' }, before)
    expect((await refresh(after.app, client, tokens.refresh_token)).json().error).toBe(
      'invalid_grant',
    )
  },
}

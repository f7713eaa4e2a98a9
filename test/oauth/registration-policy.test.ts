import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  codeOf,
  obtainTokens,
  REDIRECT_URI,
  redeem,
  refresh,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { storedRecords } from '../support/stored.ts'

const post = (app: FastifyInstance, redirect_uris: readonly string[]) =>
  app.inject({ method: 'POST', url: '/register', payload: { redirect_uris } })
const open = (app: FastifyInstance, url: string) =>
  app.inject({ url, headers: { host: 'auth.example.com' } })

describe('registration that is off', () => {
  it('answers 403 and is in no document', async () => {
    const { app, storage } = await buildTestApp({ registration: 'off' })
    const before = await storedRecords(storage)
    const answer = await post(app, [REDIRECT_URI])
    expect(answer.statusCode).toBe(403)
    expect(answer.json().error).toBe('access_denied')
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    expect(await storedRecords(storage)).toEqual(before)
    for (const name of ['oauth-authorization-server', 'openid-configuration']) {
      const document = (await app.inject(`/.well-known/${name}`)).json()
      expect(document.issuer).toBe('https://auth.example.com')
      expect(document).not.toHaveProperty('registration_endpoint')
    }
  })

  it('T5: starts nothing new with a client that registered before, whose grants go on', async () => {
    const before = await buildTestApp()
    const { client, tokens } = await obtainTokens(before.app)
    const { app } = await before.restart({ registration: 'off' })
    const answer = await open(app, authorizeUrl(client))
    expect(answer.statusCode).toBe(400)
    expect(answer.headers.location).toBeUndefined()
    expect((await refresh(app, client, tokens.refresh_token)).statusCode).toBe(200)
  })
})

describe('registration of listed hosts', () => {
  const list = ['claude.ai', 'app.example:8443', 'localhost', 'cursor:']

  it('is in the documents', async () => {
    const { app } = await buildTestApp({ registration: list })
    const document = (await app.inject('/.well-known/oauth-authorization-server')).json()
    expect(document.registration_endpoint).toBe('https://auth.example.com/register')
  })

  it.each([
    'https://claude.ai/api/mcp/auth_callback',
    'https://CLAUDE.ai/x',
    'https://app.example:8443/cb',
    'http://localhost:8787/callback',
    'cursor://anysphere.cursor-mcp/oauth/callback',
  ])('takes %s', async (uri) => {
    const { app } = await buildTestApp({ registration: list })
    expect((await post(app, [uri])).json().redirect_uris).toEqual([uri])
  })

  it.each([
    'https://evil.example/claude.ai',
    'https://claude.ai.evil.example/cb',
    'https://evil-claude.ai/cb',
    'https://sub.claude.ai/cb',
    'https://claude.ai:444/cb',
    'https://app.example/cb',
    'http://127.0.0.1/callback',
    'http://[::1]/callback',
    'vscode://vscode.mcp/cb',
    'com.example.app:/cb',
  ])('T5: refuses %s', async (uri) => {
    const { app } = await buildTestApp({ registration: list })
    const answer = await post(app, [uri])
    expect(answer.statusCode).toBe(400)
    expect(answer.json().error).toBe('invalid_redirect_uri')
  })

  it('drops the others of a mixed list', async () => {
    const { app } = await buildTestApp({ registration: list })
    const uris = ['https://evil.example/cb', 'https://claude.ai/cb', 'http://127.0.0.1/cb']
    const answer = await post(app, uris)
    expect(answer.statusCode).toBe(201)
    expect(answer.json().redirect_uris).toEqual(['https://claude.ai/cb'])
  })

  it('T5: counts at the authorization endpoint for clients that registered before', async () => {
    const before = await buildTestApp()
    const good = 'https://claude.ai/cb'
    const client = await register(before.app, { redirect_uris: [good, 'https://evil.example/cb'] })
    const { app } = await before.restart({ registration: list })
    const ask = (redirect_uri?: string) => open(app, authorizeUrl(client, { redirect_uri }))
    expect((await ask('https://evil.example/cb')).statusCode).toBe(400)
    expect((await ask(good)).statusCode).toBe(200)
    // The client has a single redirect URI left, so the request need not name it.
    expect((await ask(undefined)).statusCode).toBe(200)
  })
})

it('T5: counts for a code that is under way to a place that is off the list now', async () => {
  const before = await buildTestApp()
  const client = await register(before.app)
  const code = codeOf(await signIn(createBrowser(before.app), authorizeUrl(client)))
  const { app } = await before.restart({ registration: ['claude.ai'] })
  expect((await redeem(app, client, code)).json().error).toBe('invalid_grant')
  const undone = await before.restart()
  expect((await redeem(undone.app, client, code)).statusCode).toBe(200)
})

describe('a client that has a lifetime', () => {
  const DAY = 86_400

  it('is unknown when it is over, at the token endpoint and to people', async () => {
    const { app, clock } = await buildTestApp({ clientLifetime: 90 * DAY, rateLimit: 0 })
    const client = await register(app)
    clock.advance(89 * DAY)
    const { tokens } = await obtainTokens(app, { client })
    clock.advance(DAY - 1)
    expect((await refresh(app, client, tokens.refresh_token)).statusCode).toBe(200)
    clock.advance(1)
    const answer = await refresh(app, client, tokens.refresh_token)
    expect(answer.statusCode).toBe(401)
    expect(answer.json().error).toBe('invalid_client')
    const page = await open(app, authorizeUrl(client))
    expect(page.statusCode).toBe(400)
    expect(page.headers['content-type']).toContain('text/html')
  })

  it('is told when its secret expires, and nothing else is different', async () => {
    const { app, clock } = await buildTestApp({ clientLifetime: 90 * DAY })
    const registered = (await post(app, [REDIRECT_URI])).json()
    const now = Math.floor(clock() / 1000)
    expect(registered.client_id_issued_at).toBe(now)
    expect(registered.client_secret_expires_at).toBe(now + 90 * DAY)
  })

  it('gets it by a restart, too, if it registered before', async () => {
    const before = await buildTestApp()
    const client = await register(before.app)
    before.clock.advance(2 * DAY)
    const { app } = await before.restart({ clientLifetime: DAY })
    expect((await open(app, authorizeUrl(client))).statusCode).toBe(400)
  })
})

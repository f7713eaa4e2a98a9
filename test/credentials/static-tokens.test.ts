import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { createStaticTokens, type StaticTokenConfig } from '../../src/credentials/static-tokens.ts'
import { sha256 } from '../../src/crypto.ts'
import { createResourceTable } from '../../src/resources/resource-table.ts'
import { buildTestApp, resource } from '../support/build-app.ts'
import { check } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream-server.ts'

const TOKEN = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae'
const AS_CI = { authorization: `Bearer ${TOKEN}` }
const NOTES = resource({
  scopes: { read: 'Read', write: 'Write' },
  requiredScopes: ['write'],
})
const WIKI = resource({
  id: 'wiki',
  url: 'https://mcp.example.com/wiki',
  scopes: { edit: 'Edit' },
})
const atWiki = { 'x-forwarded-uri': '/wiki' }

const token = (limits: Partial<StaticTokenConfig> = {}): StaticTokenConfig => ({
  name: 'ci',
  tokenHash: sha256(TOKEN),
  ...limits,
})
const withToken = (limits?: Partial<StaticTokenConfig>, changes: Partial<Config> = {}) =>
  buildTestApp({ resources: [NOTES, WIKI], staticTokens: [token(limits)], ...changes })

describe('a static token', () => {
  it('opens every server with all its scopes, and says its name there, never an e-mail', async () => {
    const { app } = await withToken()
    const notes = await check(app, AS_CI)
    expect(notes.statusCode).toBe(200)
    expect(notes.headers).toMatchObject({
      'x-forwarded-user': 'ci',
      'x-forwarded-email': '',
      'x-forwarded-groups': '',
      'x-forwarded-scopes': 'read write',
      'x-forwarded-client': sha256('static:ci').slice(0, 16),
      'x-user-id': `s_${sha256('ci')}`,
      'x-user-name': 'ci',
    })
    expect((await check(app, { ...AS_CI, ...atWiki })).headers['x-forwarded-scopes']).toBe('edit')
  })

  it('opens what no person may use: lists of people say nothing about it', async () => {
    const nobody = { anyone: false, emails: [], domains: [], groups: ['nobody'] }
    const { app } = await withToken({}, { resources: [{ ...NOTES, allow: nobody }] })
    expect((await check(app, AS_CI)).statusCode).toBe(200)
  })

  it('outlives REVOKE_BEFORE, a restart and a year', async () => {
    const first = await withToken()
    first.clock.advance(365 * 86_400)
    const { app } = await first.restart({ revokeBefore: Math.floor(first.clock() / 1000) })
    expect((await check(app, AS_CI)).statusCode).toBe(200)
    const without = await first.restart({ staticTokens: [] })
    expect((await check(without.app, AS_CI)).statusCode).toBe(401)
  })

  it('is refused from the web page of a foreign origin like any credential', async () => {
    const { app } = await withToken()
    const origin = 'https://evil.example'
    expect((await check(app, { ...AS_CI, origin })).statusCode).toBe(403)
  })

  it.each([
    ['a letter less', `Bearer ${TOKEN.slice(0, -1)}`, 401],
    ['a letter more', `Bearer ${TOKEN}x`, 401],
    ['another case', `Bearer ${TOKEN.toLowerCase()}`, 401],
    ['its hash', `Bearer ${sha256(TOKEN)}`, 401],
    ['its name', 'Bearer ci', 401],
    ['two of it', `Bearer ${TOKEN} ${TOKEN}`, 400],
    ['another scheme', `Basic ${TOKEN}`, 401],
    ['no scheme', TOKEN, 401],
  ])('is not %s', async (_what, authorization, status) => {
    const { app } = await withToken()
    expect((await check(app, { authorization })).statusCode).toBe(status)
  })

  it('is not taken out of the query', async () => {
    const { app } = await withToken()
    const uri = `/notes/mcp?access_token=${TOKEN}`
    expect((await check(app, { 'x-forwarded-uri': uri })).statusCode).toBe(401)
  })

  it('is in no log line', async () => {
    const { app, logs } = await withToken()
    await check(app, AS_CI)
    await check(app, { ...AS_CI, 'x-forwarded-uri': `/nowhere?access_token=${TOKEN}` })
    expect(logs.length).toBeGreaterThan(0)
    expect(JSON.stringify(logs)).not.toContain(TOKEN.slice(0, 12))
  })
})

describe('a static token that says less', () => {
  it('opens only its servers', async () => {
    const { app } = await withToken({ resources: ['wiki'] })
    expect((await check(app, { ...AS_CI, ...atWiki })).statusCode).toBe(200)
    const other = await check(app, AS_CI)
    expect(other.statusCode).toBe(401)
    expect(other.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  it('lacks a required scope that it does not name', async () => {
    const { app } = await withToken({ scopes: ['read', 'edit'] })
    const notes = await check(app, AS_CI)
    expect(notes.statusCode).toBe(403)
    expect(notes.headers['www-authenticate']).toContain('error="insufficient_scope"')
    expect((await check(app, { ...AS_CI, ...atWiki })).headers['x-forwarded-scopes']).toBe('edit')
  })

  it('opens no server that has none of its scopes, though that server demands none', async () => {
    const { app } = await withToken({ scopes: ['write'] })
    expect((await check(app, AS_CI)).statusCode).toBe(200)
    expect((await check(app, { ...AS_CI, ...atWiki })).statusCode).toBe(401)
  })
})

it('works where Gatewarden is the proxy, and does not reach the server', async () => {
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const { app } = await withToken({}, { resources: [{ ...NOTES, upstream: upstream.origin }] })
  const head = ['POST /notes/mcp HTTP/1.1', 'Host: mcp.example.com']
  const answer = await exchange(await listen(app), [...head, `Authorization: Bearer ${TOKEN}`])
  expect(answer.status).toBe(200)
  const [request] = upstream.requests
  expect(request?.headers).toMatchObject({ 'x-forwarded-user': 'ci' })
  expect(JSON.stringify(request?.rawHeaders)).not.toContain(TOKEN)
})

it('is the same object for the same server each time, since decisions are remembered by it', () => {
  const source = createStaticTokens([token()])
  const [notes, wiki] = createResourceTable([NOTES, WIKI]).all
  if (!notes || !wiki) throw new Error('two resources were configured')
  const first = source.verify(TOKEN, notes)
  expect(first).toMatchObject({ kind: 'verified' })
  expect(source.verify(TOKEN, notes)).toBe(first)
  expect(source.verify(TOKEN, wiki)).not.toBe(first)
  expect(source.verify('another', notes)).toBeUndefined()
})

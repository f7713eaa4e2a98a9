/**
 * Answers of a server behind pass-through: on our own host each of its pages gets an origin of its own, and on no host
 * may the server decide about service workers and data of others (threat T35).
 */
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import type { ResourceConfig } from '../../src/resources/resource-table.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream-server.ts'

const SANDBOX = 'sandbox allow-scripts allow-forms'
const ITS_OWN = ["default-src 'self'; sandbox allow-same-origin", 'img-src *']
const TOKEN = 'a-token-of-a-script-0123456789abcdef'
const authorization = `Bearer ${TOKEN}`
const staticTokens = [{ name: 'script', tokenHash: sha256(TOKEN) }]

/** A gateway before a hostile server, which is on our own host and on three others. */
async function start(changes: Partial<ResourceConfig> = {}, edgeAuth = false) {
  const upstream = await startUpstream((request, response) =>
    response
      .writeHead(Number(/status=(\d+)/.exec(request.url ?? '')?.[1] ?? 200), {
        'Content-Type': /type=([^&]+)/.exec(request.url ?? '')?.[1] ?? 'text/html',
        'Service-Worker-Allowed': '/',
        'CLEAR-SITE-DATA': '"cookies", "storage"',
        'Content-Security-Policy': ITS_OWN,
      })
      .end(),
  )
  const at = (id: string, url: string, more: Partial<ResourceConfig> = {}) =>
    resource({ id, url, allow: ANYONE, upstream: upstream.origin, ...more })
  const { app } = await buildTestApp({
    staticTokens,
    cookieDomain: 'shared.test',
    edgeAuth,
    resources: [
      at('own', 'https://auth.example.com/mcp', changes),
      at('deep', 'https://mcp.example.com/notes/mcp'),
      at('whole', 'https://whole.example.com'),
      at('domain', 'https://app.shared.test'),
    ],
  })
  const ask = (url: string, headers: Record<string, string> = {}) => {
    const { host, pathname, search } = new URL(url)
    return app.inject({ url: pathname + search, headers: { host, authorization, ...headers } })
  }
  /** The policies of an answer, line by line as a browser gets them. */
  const policies = async (url: string) => {
    const { host, pathname, search } = new URL(url)
    const lines = [`Host: ${host}`, `Authorization: ${authorization}`]
    const port = await listen(app)
    const answer = await exchange(port, [`GET ${pathname}${search} HTTP/1.1`, ...lines])
    return answer.values('content-security-policy')
  }
  return { app, ask, policies, upstream }
}

const OWN = 'https://auth.example.com/mcp/page'

describe('at1, T35: an answer of a server behind pass-through', () => {
  it.each(['', '?status=404', '?status=500', '?type=image/svg%2Bxml', '?type=application/json'])(
    'is sandboxed on our host, beside its own policies: %s',
    async (query) => {
      const { policies } = await start()
      expect(await policies(OWN + query)).toEqual([...ITS_OWN, SANDBOX])
    },
  )

  it('is sandboxed where the operator says so, and not where its pages need our origin', async () => {
    const said = await start({ sharedHost: 'sandboxed' })
    expect(await said.policies(OWN)).toEqual([...ITS_OWN, SANDBOX])
    const pages = await start({ sharedHost: 'pages' })
    expect(await pages.policies(OWN)).toEqual(ITS_OWN)
  })

  it.each(['https://mcp.example.com/notes/mcp', 'https://whole.example.com/'])(
    'keeps its own policies alone on another host: %s',
    async (url) => {
      expect(await (await start()).policies(url)).toEqual(ITS_OWN)
    },
  )

  it.each([
    OWN,
    'https://mcp.example.com/notes/mcp',
    'https://whole.example.com/',
    'https://app.shared.test/',
  ])('neither widens a service worker nor clears data: %s', async (url) => {
    const { ask } = await start()
    const { statusCode, headers } = await ask(url)
    expect(statusCode).toBe(200)
    expect(headers).not.toHaveProperty('service-worker-allowed')
    expect(headers).not.toHaveProperty('clear-site-data')
  })
})

describe('the script of a service worker', () => {
  const SCRIPT = { 'service-worker': 'script', 'sec-fetch-dest': 'serviceworker' }
  const REFUSED = 'a service worker here could answer in the place of the login'

  it.each([
    ['at1, T35: on our own host', 'https://auth.example.com/mcp'],
    ['at1, T35: below a resource of our own host', 'https://auth.example.com/mcp/a/b/sw.js'],
    [
      'at19: in the root folder of a host that sets its own cookie',
      'https://whole.example.com/sw.js',
    ],
    ['at19: as that host itself', 'https://whole.example.com/'],
    ['at19: in the folder of /auth/connect', 'https://whole.example.com/auth/sw.js'],
    ['at19: with a query', 'https://whole.example.com/sw.js?x=/a/b'],
    ['at19: in an escaped spelling', 'https://whole.example.com/%73w.js'],
  ])('is refused %s', async (_what, url) => {
    const { ask, upstream } = await start()
    for (const value of ['script', 'Script', '']) {
      const answer = await ask(url, { ...SCRIPT, 'service-worker': value })
      expect(answer.statusCode).toBe(403)
      expect(answer.json().error_description).toBe(REFUSED)
    }
    expect(upstream.requests).toEqual([])
  })

  it.each([
    ['in a folder, whose worker cannot claim our addresses', 'https://whole.example.com/app/sw.js'],
    ['of a resource with a path', 'https://mcp.example.com/notes/mcp/sw.js'],
    ['under the cookie domain, where no code comes by', 'https://app.shared.test/sw.js'],
  ])('passes %s', async (_what, url) => {
    expect((await (await start()).ask(url, SCRIPT)).statusCode).toBe(200)
  })

  it('at19: is refused under the cookie domain where /auth/connect shows a session', async () => {
    const { ask } = await start({}, true)
    expect((await ask('https://app.shared.test/sw.js', SCRIPT)).statusCode).toBe(403)
    expect((await ask('https://app.shared.test/auth/sw.js', SCRIPT)).statusCode).toBe(403)
    expect((await ask('https://app.shared.test/app/sw.js', SCRIPT)).statusCode).toBe(200)
  })

  it('at1, at19: is refused by the check that a proxy asks for', async () => {
    const { app } = await start({ sharedHost: 'pages' })
    const asked = (host: string, uri: string, headers = {}) =>
      check(app, { authorization, 'x-forwarded-host': host, 'x-forwarded-uri': uri, ...headers })
    for (const [host, uri] of [
      ['auth.example.com', '/mcp/sw.js'],
      ['whole.example.com', '/sw.js'],
    ] as const) {
      expect((await asked(host, uri)).statusCode).toBe(200)
      expect((await asked(host, uri, SCRIPT)).statusCode).toBe(403)
    }
    expect((await asked('whole.example.com', '/app/sw.js', SCRIPT)).statusCode).toBe(200)
  })
})

import { describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { linesOf, startUpstream } from '../support/upstream-server.ts'

const APP = 'app.example.test'
const DOCUMENTS = [
  '/.well-known/openai-apps-challenge',
  '/.well-known/acme-challenge/aZ09_-token.mE7',
  '/.well-known/assetlinks.json',
  '/.well-known/apple-app-site-association',
  '/.well-known/security.txt',
  '/.well-known/change-password',
  '/.well-known/matrix/client',
  '/.well-known/nostr.json?name=ann',
]

const publish: Parameters<typeof startUpstream>[0] = (request, response) => {
  response.setHeader('access-control-allow-origin', '*')
  response.setHeader('set-cookie', ['theme=dark', '__Host-gw_session=planted'])
  response.end(`the application's ${request.url}`)
}

/** A gateway before an application that has a host of its own, beside one that has only a path. */
async function start(
  changes: Parameters<typeof resource>[0] = {},
  answer: Parameters<typeof startUpstream>[0] = publish,
) {
  const upstream = await startUpstream(answer)
  const app = resource({
    id: 'app',
    url: `https://${APP}`,
    allow: ANYONE,
    upstream: upstream.origin,
    ...changes,
  })
  const test = await buildTestApp({
    resources: [resource({ allow: ANYONE, upstream: upstream.origin }), app],
  })
  const port = await listen(test.app)
  const ask = (line: string, headers: readonly string[] = [], host = APP) =>
    exchange(port, [`${line} HTTP/1.1`, `Host: ${host}`, ...headers])
  return { ...test, upstream, ask }
}

describe('K37: the documents at the root of a host that an application has', () => {
  const ROOT = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

  it.each(ROOT)('%s is the one of the application', async (path) => {
    const { ask, upstream } = await start({ rootDocuments: false })
    for (const target of [path, `${path}?x=1`]) {
      expect((await ask(`GET ${target}`)).body).toBe(`the application's ${target}`)
    }
    expect(upstream.requests).toHaveLength(2)
  })

  it.each(ROOT)('%s is ours on every other host, the gateway included', async (path) => {
    const { ask } = await start({ rootDocuments: false })
    for (const host of ['auth.example.com', 'mcp.example.com']) {
      expect(JSON.parse((await ask(`GET ${path}`, [], host)).body)).toMatchObject({
        issuer: 'https://auth.example.com',
      })
    }
    const plain = await start()
    expect(JSON.parse((await plain.ask(`GET ${path}`)).body)).toHaveProperty('issuer')
  })

  it('are ours at the gateway even if a wildcard would cover it', async () => {
    const { app } = await buildTestApp({
      resources: [resource({ url: 'https://*.example.com', allow: ANYONE, rootDocuments: false })],
    })
    const get = (host: string) =>
      app.inject({ url: ROOT[0] ?? '', headers: { host } }).then(({ statusCode }) => statusCode)
    expect(await get('auth.example.com')).toBe(200)
    expect(await get('wiki.example.com')).toBe(404)
    expect(await get('wiki.example.com.')).toBe(404)
  })

  it('leave the way by the challenge as it is', async () => {
    const { ask } = await start({ rootDocuments: false })
    const answer = await ask('GET /.well-known/oauth-protected-resource')
    expect(JSON.parse(answer.body)).toMatchObject({ resource: `https://${APP}` })
    expect((await ask('GET /')).status).toBe(401)
  })
})

describe('cl7: an outsider without a sign-in reads what the application publishes:', () => {
  it.each(DOCUMENTS)('%s', async (document) => {
    const { ask, upstream } = await start()
    const answer = await ask(`GET ${document}`)
    expect([answer.status, answer.body]).toEqual([200, `the application's ${document}`])
    const head = await ask(`HEAD ${document}`)
    expect([head.status, head.body]).toEqual([200, ''])
    expect(upstream.requests.map(({ method, url }) => [method, url])).toEqual([
      ['GET', document],
      ['HEAD', document],
    ])
  })

  it('with no word about the caller, who may have a token or claim to be somebody', async () => {
    const { ask, upstream, app } = await start()
    const { tokens } = await obtainTokens(app, { authorize: { resource: `https://${APP}` } })
    await ask(`GET ${DOCUMENTS[0]}`, [
      `Authorization: Bearer ${tokens.access_token}`,
      'X-Forwarded-User: boss@corp.test',
      'X-Forwarded-Email: boss@corp.test',
      'Cookie: __Host-gw_session=stolen; theme=dark',
    ])
    const [request] = upstream.requests
    for (const name of ['authorization', 'x-forwarded-user', 'x-forwarded-email', 'cookie']) {
      expect(request && linesOf(request, name), name).toEqual([])
    }
  })

  it('in a page of any origin, if the application allows it', async () => {
    const { ask } = await start()
    const origin = 'Origin: https://element.example.org'
    const answer = await ask('GET /.well-known/matrix/client', [origin])
    expect([answer.status, answer.values('access-control-allow-origin')]).toEqual([200, ['*']])
  })

  it('without a cookie of ours that it tries to set', async () => {
    const { ask } = await start()
    const answer = await ask(`GET ${DOCUMENTS[0]}`)
    expect(answer.values('set-cookie')).toEqual(['theme=dark'])
  })
})

describe('cl7: nothing else of the application is open:', () => {
  it.each([
    ['writing', 'POST /.well-known/openai-apps-challenge'],
    ['deleting', 'DELETE /.well-known/security.txt'],
    ['the folder', 'GET /.well-known/'],
    ['the folder without a slash', 'GET /.well-known'],
    ['a name that begins alike', 'GET /.well-knownx/security.txt'],
    ['a folder below', 'GET /x/.well-known/security.txt'],
    ['a parameter of a segment', 'GET /.well-known/x;/admin'],
    ['an escaped slash', 'GET /.well-known/x%2Fadmin'],
    ['an escape that needs none', 'GET /.well-known/%61dmin'],
    ['an empty segment', 'GET /.well-known//admin'],
    ['a short name of Windows', 'GET /.well-known/ADMIN~1'],
    ['a dot at the end', 'GET /.well-known/x./admin'],
    ['another case of the folder', 'GET /.WELL-KNOWN/security.txt'],
  ])('%s', async (_what, line) => {
    const { ask, upstream } = await start()
    expect((await ask(line)).status).toBe(401)
    expect(upstream.requests).toEqual([])
  })

  it.each([
    'GET /.well-known/../admin',
    'GET /.well-known/%2e%2e/admin',
    'GET /.well-known/..;/admin',
    'GET /.well-known/x%2F..%2F..%2Fadmin',
  ])('a path that can be read in two ways: %s', async (line) => {
    const { ask, upstream } = await start()
    expect((await ask(line)).status).toBe(403)
    expect(upstream.requests).toEqual([])
  })

  it('the place that a redirect of such a document leads to', async () => {
    const { ask, upstream } = await start({}, (request, response) => {
      if (request.url === '/admin') response.end('the admin page')
      else response.writeHead(308, { location: '/admin' }).end()
    })
    const answer = await ask(`GET ${DOCUMENTS[0]}`)
    expect([answer.status, answer.body]).toEqual([308, ''])
    expect(upstream.requests.map(({ url }) => url)).toEqual([DOCUMENTS[0]])
    expect((await ask('GET /admin')).status).toBe(401)
  })

  it('the script of a service worker', async () => {
    const { ask, upstream } = await start({ url: 'https://auth.example.com' })
    const worker = ['Service-Worker: script']
    const answer = await ask('GET /.well-known/sw.js', worker, 'auth.example.com')
    expect(answer.status).toBe(403)
    expect(upstream.requests).toEqual([])
  })
})

describe('cl7: our documents stay ours on such a host', () => {
  it.each([
    ['/.well-known/oauth-authorization-server', 'issuer'],
    ['/.well-known/oauth-authorization-server/any/path', 'issuer'],
    ['/.well-known/openid-configuration', 'issuer'],
    ['/.well-known/openid-configuration/any/path', 'issuer'],
    ['/any/.well-known/openid-configuration', 'issuer'],
    ['/.well-known/oauth-protected-resource', 'resource'],
    ['/.well-known/oauth-protected-resource/any/path', 'resource'],
  ])('%s', async (path, member) => {
    const { ask, upstream } = await start()
    const answer = await ask(`GET ${path}`)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toHaveProperty([member])
    expect((await ask(`POST ${path}`)).status).not.toBe(200)
    expect(upstream.requests).toEqual([])
  })
})

it.each([
  ['where a server has only a path of the host', 'mcp.example.com'],
  ['on our own host', 'auth.example.com'],
  ['on an unknown host', 'stranger.test'],
])('cl7: a document that nobody serves stays 404 %s', async (_where, host) => {
  const { ask, upstream } = await start()
  const answer = await ask(`GET ${DOCUMENTS[0]}`, [], host)
  expect([answer.status, JSON.parse(answer.body).error]).toEqual([404, 'not_found'])
  expect(upstream.requests).toEqual([])
})

it('cl7: a page of the application on our own host stays in its sandbox', async () => {
  const { ask } = await start({ url: 'https://auth.example.com' })
  const answer = await ask('GET /.well-known/page.html', [], 'auth.example.com')
  expect([answer.status, answer.values('content-security-policy')]).toEqual([
    200,
    ['sandbox allow-scripts allow-forms'],
  ])
})

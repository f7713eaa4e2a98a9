/** `X-Request-Id` on every answer, the number that the page and the log have (seeds sb12). */
import { describe, expect, it } from 'vitest'
import { asTraefikAsks } from '../check/asked.ts'
import { openGateway } from '../proxy/gateway.ts'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream-server.ts'

const OURS = /^[A-Za-z0-9_-]{8}-[0-9a-z]+$/
const HERE = 'Host: auth.example.com'
const PERSON = ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']

/** The values of the header, in any spelling. */
const idsOf = ({ lines }: { lines: readonly (readonly [string, string])[] }) =>
  lines.filter(([name]) => name.toLowerCase() === 'x-request-id').map(([, value]) => value)

const ports = new WeakMap<TestApp, Promise<number>>()

async function ask(test: TestApp, head: readonly string[]) {
  const port = ports.get(test) ?? listen(test.app)
  ports.set(test, port)
  return exchange(await port, head)
}

describe('an answer has the number once:', () => {
  it.each<[string, number, readonly string[]]>([
    ['a document', 200, ['GET /.well-known/oauth-authorization-server HTTP/1.1', HERE]],
    ['a probe', 200, ['GET /healthz HTTP/1.1', HERE]],
    ['a page', 400, ['GET /authorize HTTP/1.1', HERE, ...PERSON]],
    ['an error in JSON', 401, ['POST /token HTTP/1.1', HERE, 'Content-Length: 0']],
    ['a preflight', 204, ['OPTIONS /token HTTP/1.1', HERE, 'Origin: https://web.example']],
    ['another method', 405, ['PUT /jwks HTTP/1.1', HERE, 'Content-Length: 0']],
    ['nothing there', 404, ['GET /nothing HTTP/1.1', HERE]],
    ['a page about nothing there', 404, ['GET /nothing HTTP/1.1', HERE, ...PERSON]],
    ['a doubled host', 400, ['GET /jwks HTTP/1.1', HERE, 'Host: evil.example']],
    ['a broken escape', 400, ['GET /authorize/%zz HTTP/1.1', HERE]],
    ['a redirect', 302, ['GET /authorize?x=1 HTTP/1.1', 'Host: mcp.example.com']],
    ['a check without a token', 401, asTraefikAsks()],
    ['a check of nothing', 403, ['GET /auth/traefik HTTP/1.1', HERE]],
    ['a check by nginx', 403, ['GET /auth/nginx HTTP/1.1', HERE]],
    ['the page for a refused person', 403, ['GET /auth/nginx/page HTTP/1.1', HERE]],
  ])('%s (%i)', async (_what, status, head) => {
    const answer = await ask(await buildTestApp(), head)
    expect([answer.status, idsOf(answer)]).toEqual([status, [expect.stringMatching(OURS)]])
  })

  it('an allowed check, each with another number', async () => {
    const test = await buildTestApp()
    const { tokens } = await obtainTokens(test.app)
    const port = await listen(test.app)
    const head = asTraefikAsks([`Authorization: Bearer ${tokens.access_token}`])
    const answers = [await exchange(port, head), await exchange(port, head)]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(new Set(answers.flatMap(idsOf)).size).toBe(2)
  })

  it('an injected check and an injected page', async () => {
    const { app } = await buildTestApp()
    for (const answer of [await check(app), await app.inject('/authorize')]) {
      expect(answer.headers['x-request-id']).toMatch(OURS)
    }
  })
})

describe('as a reverse proxy', () => {
  it.each([
    ['an answer', 'POST /notes/mcp', 200],
    ['an event stream', 'GET /notes/mcp/stream', 200],
    ['an error of the server', 'GET /notes/mcp/broken', 500],
    ['a challenge in place of the server’s', 'GET /notes/mcp/challenge', 401],
  ])('%s has ours in place of the server’s own', async (_what, line, status) => {
    const upstream = await startUpstream(({ url }, response) => {
      response.setHeader('x-request-id', 'of-the-server')
      if (url?.endsWith('/challenge')) {
        response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('{}')
      } else response.writeHead(url?.endsWith('/broken') ? 500 : 200).end('ok')
    })
    const { ask: call } = await openGateway(`${upstream.origin}/mcp`)
    const answer = await call(line)
    expect([answer.status, idsOf(answer)]).toEqual([status, [expect.stringMatching(OURS)]])
  })

  it('so have a server that is away, a preflight, and a request without a token', async () => {
    const { ask: call, port } = await openGateway('http://127.0.0.1:9/mcp')
    const away = await call('POST /notes/mcp')
    const preflight = await exchange(port, [
      ...['OPTIONS /notes/mcp HTTP/1.1', 'Host: mcp.example.com', 'Origin: http://localhost:1'],
      'Access-Control-Request-Method: POST',
    ])
    const refused = await exchange(port, ['GET /notes/mcp HTTP/1.1', 'Host: mcp.example.com'])
    expect([away, preflight, refused].map(({ status }) => status)).toEqual([502, 204, 401])
    for (const answer of [away, preflight, refused]) {
      expect(idsOf(answer)).toEqual([expect.stringMatching(OURS)])
    }
  })
})

it('is the number on the page and in the log', async () => {
  const test = await buildTestApp()
  const page = await ask(test, asTraefikAsks(PERSON, '/auth/traefik/r/other'))
  const [number = ''] = idsOf(page)
  expect(page.body).toContain(number)
  expect(test.logs.filter(({ requestId }) => requestId === number)).not.toEqual([])
  const refused = await ask(test, ['POST /token HTTP/1.1', HERE, 'Content-Length: 0'])
  expect(test.events).toContainEqual(
    expect.objectContaining({ event: 'request-refused', requestId: idsOf(refused)[0] }),
  )
})

describe('a number that comes in', () => {
  const withNumber = (...lines: readonly string[]) => [
    'GET /nothing HTTP/1.1',
    HERE,
    ...lines.map((line) => `X-Request-ID: ${line}`),
  ]

  it.each([
    '8b5ad2b1a1cb1c1ba2a8d8b0e5c1a3f7',
    '3f0c9f1e-9d5a-4b53-8a6f-0d3c5b1f2a10',
    'a'.repeat(64),
  ])('counts from a trusted proxy: %s', async (given) => {
    const test = await buildTestApp()
    expect(idsOf(await ask(test, withNumber(given)))).toEqual([given])
    expect(idsOf(await ask(test, asTraefikAsks([`X-Request-Id: ${given}`])))).toEqual([given])
  })

  it.each([
    ['too long', ['a'.repeat(65)]],
    ['empty', ['']],
    ['with a space', ['a b']],
    ['with markup', ['<b>1</b>']],
    ['with a quote', ['a"b']],
    ['beyond ASCII', ['ä']],
    ['on two lines', ['one', 'two']],
  ])('counts nowhere if it is %s', async (_what, given) => {
    const answer = await ask(await buildTestApp(), withNumber(...given))
    expect(idsOf(answer)).toEqual([expect.stringMatching(OURS)])
  })

  it('counts from nobody else', async () => {
    const test = await buildTestApp({ trustedProxies: ['192.0.2.1'] })
    const answer = await ask(test, withNumber('chosen-by-a-stranger'))
    expect(idsOf(answer)).toEqual([expect.stringMatching(OURS)])
    expect(JSON.stringify(test.logs)).not.toContain('chosen-by-a-stranger')
  })

  it('of an untrusted peer is not in the answer to its check either', async () => {
    const test = await buildTestApp({
      trustedProxies: ['192.0.2.1'],
      resources: [resource({ allow: ANYONE })],
    })
    const answer = await ask(test, asTraefikAsks(['X-Request-Id: chosen-by-a-stranger']))
    expect([answer.status, idsOf(answer)]).toEqual([403, [expect.stringMatching(OURS)]])
  })
})

/** Browsers at an MCP endpoint (case fh8), and at the front page of a gateway on this computer (case fh7). */
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import {
  ANYONE,
  buildTestApp,
  type resource as makeResource,
  resource,
} from '../support/build-app.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { makeSession } from '../support/session.ts'
import { startUpstream } from '../support/upstream-server.ts'

const PERSON = [
  'Accept: text/html,*/*;q=0.8',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Dest: document',
]
const NOT_FOR_YOU = '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Not Acceptable"}}'

/** A browser of ann at a server that answers in this way. */
async function openServer(
  answerWith: (response: ServerResponse) => void,
  changes: Partial<ReturnType<typeof makeResource>> = {},
) {
  const upstream = await startUpstream((_request, response) => answerWith(response))
  const notes = resource({ allow: ANYONE, upstream: `${upstream.origin}/mcp`, ...changes })
  const test = await buildTestApp({ resources: [notes] })
  const { cookie } = await makeSession(test)
  const port = await listen(test.app)
  return {
    ask: (path: string, { headers = PERSON, method = 'GET', signedIn = true } = {}) =>
      exchange(port, [
        `${method} ${path} HTTP/1.1`,
        'Host: mcp.example.com',
        ...(signedIn ? [`Cookie: ${cookie}`] : []),
        ...headers,
      ]),
    logs: test.logs,
  }
}

const json = (status: number) => (response: ServerResponse) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(NOT_FOR_YOU)

describe('fh8: a person who opens an MCP endpoint', () => {
  it.each([
    ['405 in JSON', json(405)],
    ['406 in JSON', json(406)],
    ['400 in JSON', json(400)],
    ['405 without a body', (response: ServerResponse) => response.writeHead(405).end()],
    [
      'an event stream without an end',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('event: endpoint\n\n')
      },
    ],
  ])('learns that it works and what to paste, in the place of %s', async (_what, answerWith) => {
    const { ask } = await openServer(answerWith)
    const answer = await ask('/notes/mcp')
    expect(answer.status).toBe(200)
    expect(answer.values('content-type')).toEqual(['text/html; charset=utf-8'])
    expect(answer.values('cache-control')).toEqual(['no-store'])
    expect(answer.values('content-security-policy')[0]).toContain("default-src 'none'")
    expect(answer.body).toContain(
      'It works: you are signed in as <b><bdi>ann@example.com</bdi></b>',
    )
    expect(answer.body).toContain(
      'claude mcp add --transport http notes https://mcp.example.com/notes/mcp',
    )
    expect(answer.body).not.toContain('jsonrpc')
  })

  it('gets a page of the server as it is, and its other answers too', async () => {
    const page = await openServer((response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>an application</p>'),
    )
    expect((await page.ask('/notes/mcp')).body).toBe('<p>an application</p>')
    const refused = await openServer((response) =>
      response.writeHead(400, { 'content-type': 'text/html' }).end('<p>say more</p>'),
    )
    expect(await refused.ask('/notes/mcp')).toMatchObject({ status: 400, body: '<p>say more</p>' })
    const api = await openServer(json(400))
    expect(await api.ask('/notes/mcp/api/items')).toMatchObject({ status: 400, body: NOT_FOR_YOU })
    const missing = await openServer(json(404))
    expect(await missing.ask('/notes/mcp')).toMatchObject({ status: 404, body: NOT_FOR_YOU })
  })

  it.each([
    ['a client', { headers: ['Accept: text/event-stream'] }],
    ['a script of a page', { headers: ['Accept: text/html', 'Sec-Fetch-Mode: cors'] }],
    ['a form', { method: 'POST', headers: [...PERSON, 'Origin: https://mcp.example.com'] }],
  ])('is not %s, which gets the answer of the server', async (_who, options) => {
    const { ask } = await openServer(json(405))
    expect(await ask('/notes/mcp', options)).toMatchObject({ status: 405, body: NOT_FOR_YOU })
  })

  it('signs in first', async () => {
    const { ask } = await openServer(json(405))
    expect((await ask('/notes/mcp', { signedIn: false })).status).toBe(302)
  })

  it('gets it without asking the server where that is mcp_only', async () => {
    let asked = 0
    const { ask, logs } = await openServer(
      (response) => {
        asked += 1
        response.end('an answer')
      },
      { mcpOnly: true },
    )
    const answer = await ask('/notes/mcp')
    expect(answer.body).toContain('you are signed in as')
    expect(asked).toBe(0)
    expect(logs.find(({ msg }) => msg === 'decision')).toMatchObject({
      status: 403,
      reason: 'a browser opened an address for MCP clients',
    })
    expect((await ask('/notes/mcp', { headers: ['Accept: */*'] })).body).toBe('an answer')
  })

  it('gets it where Traefik asks, too, and never as a passage', async () => {
    const test = await buildTestApp({ resources: [resource({ allow: ANYONE, mcpOnly: true })] })
    const { cookie } = await makeSession(test)
    const answer = await test.app.inject({
      url: '/auth/traefik',
      headers: {
        'x-forwarded-method': 'GET',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'mcp.example.com',
        'x-forwarded-uri': '/notes/mcp',
        accept: 'text/html',
        cookie,
      },
    })
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('is ready')
    expect(answer.headers['x-forwarded-user']).toBeUndefined()
  })
})

describe('fh7: the front page of a gateway on this computer', () => {
  const HERE = {
    publicUrl: { origin: 'http://localhost:8080', host: 'localhost:8080', secure: false },
    resources: [
      resource({
        id: 'demo',
        name: 'Demo server',
        url: 'http://localhost:8080/mcp',
        upstream: 'http://localhost:1/mcp',
      }),
    ],
  }
  async function open(
    changes: Parameters<typeof buildTestApp>[0] = {},
    { host = 'localhost:8080', from = '127.0.0.1', url = '/', accept = 'text/html' } = {},
  ) {
    const { app } = await buildTestApp({ ...HERE, ...changes })
    return app.inject({ url, remoteAddress: from, headers: { host, accept } })
  }

  it('says what runs, who is signed in, what to paste, and how to stop', async () => {
    const answer = await open()
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(answer.headers['cache-control']).toBe('no-store')
    for (const text of [
      'Gatewarden is running',
      'Demo server',
      'Nobody is signed in with this browser',
      'claude mcp add --transport http demo http://localhost:8080/mcp',
      'claude mcp login demo',
      'npx -y -p mcp-remote mcp-remote-client http://localhost:8080/mcp',
      'Ctrl-C',
    ]) {
      expect(answer.body).toContain(text)
    }
  })

  it.each([
    ['to another address', {}, { url: '/other' }],
    ['to another host', {}, { host: 'example.com' }],
    ['from another computer', {}, { from: '192.0.2.7' }],
    [
      'of a gateway on a domain',
      { publicUrl: { origin: 'https://auth.example.com', host: 'auth.example.com', secure: true } },
      { host: 'auth.example.com' },
    ],
  ] as const)(
    'is for no request %s: nobody learns of servers there',
    async (_what, changes, request) => {
      const answer = await open(changes, request)
      expect(answer.statusCode).toBe(404)
      expect(answer.body).not.toContain('Demo server')
      expect(answer.body).not.toContain('/mcp')
    },
  )

  it('is for people alone', async () => {
    expect((await open({}, { accept: '*/*' })).json()).toMatchObject({ error: 'not_found' })
  })

  it('leaves / to a server that has the whole host', async () => {
    const whole = { ...HERE.resources[0], url: 'http://localhost:8080' }
    const answer = await open({ resources: [resource(whole)] })
    expect(answer.statusCode).toBe(302)
  })
})

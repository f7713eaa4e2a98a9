/**
 * Redirects of the server behind us (cases ed10 and sb16): the ones within the server are followed, and the addresses in
 * all others are public ones.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { DEFAULT_PASS_THROUGH } from '../../src/resources/pass-through.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen, open } from '../support/raw-http.ts'
import { bodyOf, startUpstream } from '../support/upstream-server.ts'
import { CREDENTIAL, openGateway } from './gateway.ts'

const PUBLIC = 'https://mcp.example.com'

/** The headers that a client gets for an answer of the upstream `http://127.0.0.1:<port><path>`. */
async function answered(
  path: string,
  headers: (inner: string) => Record<string, string | string[]>,
  { status = 302, line = 'GET /notes/mcp' } = {},
) {
  const upstream = await startUpstream((_request, response) => {
    response.writeHead(status, headers(upstream.origin)).end()
  })
  const { ask } = await openGateway(upstream.origin + path)
  return ask(line)
}

describe('ed10: Location of an upstream at /mcp', () => {
  it.each([
    ['/mcp/', '/notes/mcp/'],
    ['/mcp', '/notes/mcp'],
    ['/mcp/a/b?c=/mcp#d', '/notes/mcp/a/b?c=/mcp#d'],
    ['INNER/mcp/landing', `${PUBLIC}/notes/mcp/landing`],
    ['INNER/mcp/?a=1', `${PUBLIC}/notes/mcp/?a=1`],
    ['INNER', `${PUBLIC}/`],
    // Outside the resource: public all the same.
    ['INNER/login?next=%2Fmcp', `${PUBLIC}/login?next=%2Fmcp`],
    ['/login', '/login'],
    // A server that only looks like it.
    ['/mcpx', '/mcpx'],
    ['http://127.0.0.1.evil.test/mcp', 'http://127.0.0.1.evil.test/mcp'],
    // With the public host, which `X-Forwarded-Host` told the server.
    ['https://mcp.example.com/mcp/x', `${PUBLIC}/notes/mcp/x`],
    ['http://MCP.example.com:80/mcp', `${PUBLIC}/notes/mcp`],
    ['https://mcp.example.com/notes/mcp/x', 'https://mcp.example.com/notes/mcp/x'],
    ['https://mcp.example.com/other', 'https://mcp.example.com/other'],
    // Other servers.
    ['https://elsewhere.test/mcp/', 'https://elsewhere.test/mcp/'],
    ['//elsewhere.test/mcp/', '//elsewhere.test/mcp/'],
    ['cursor://callback?code=1', 'cursor://callback?code=1'],
    // Relative to the request, /mcp/deep/er.
    ['next', '/notes/mcp/deep/next'],
    ['../up', '/notes/mcp/up'],
    ['?page=2', '/notes/mcp/deep/er?page=2'],
    ['../../../outside', '/outside'],
  ])('%s is %s', async (sent, expected) => {
    let port = ''
    const answer = await answered(
      '/mcp',
      (inner) => {
        port = inner
        return { location: sent.replace('INNER', inner) }
      },
      { line: 'GET /notes/mcp/deep/er' },
    )
    expect(answer.status).toBe(302)
    expect(answer.values('location')).toEqual([expected.replace('INNER', port)])
  })

  it.each([
    ['in upper case', (inner: string) => inner.toUpperCase()],
    ['with the other scheme', (inner: string) => inner.replace('http:', 'https:')],
    ['without a scheme', (inner: string) => inner.replace('http:', '')],
    ['without a scheme, with backslashes', (inner: string) => inner.replace('http://', '\\\\')],
    ['with a user name', (inner: string) => inner.replace('//', '//user:word@')],
  ])('is public as well when it names the server %s', async (_name, spell) => {
    const answer = await answered('/mcp', (inner) => ({ location: `${spell(inner)}/mcp/x` }))
    expect(answer.values('location')).toEqual([`${PUBLIC}/notes/mcp/x`])
  })

  it('leaves out an address that nobody can read', async () => {
    const answer = await answered('/mcp', () => ({ location: 'http://127.0.0.1:99999999/' }))
    expect(answer.status).toBe(302)
    expect(answer.values('location')).toEqual([])
  })

  it('keeps characters beyond ASCII', async () => {
    const bytes = Buffer.from('/mcp/é').toString('latin1')
    const answer = await answered('/mcp', () => ({ location: bytes }))
    expect(answer.values('location')).toEqual(['/notes/mcp/%C3%A9'])
  })

  it('names no host where the path begins with two slashes', async () => {
    const answer = await answered('/mcp', () => ({ location: '/mcp/..//evil.test/x' }))
    const [location = ''] = answer.values('location')
    expect(new URL(location, PUBLIC).host).toBe('mcp.example.com')
  })

  it.each([201, 301, 303, 304, 200])('counts for the status %i', async (status) => {
    const answer = await answered(
      '/mcp',
      (inner) => ({ location: `${inner}/mcp/1`, 'content-location': `${inner}/mcp/2` }),
      { status, line: 'POST /notes/mcp' },
    )
    expect(answer.status).toBe(status)
    expect(answer.values('location')).toEqual([`${PUBLIC}/notes/mcp/1`])
    expect(answer.values('content-location')).toEqual([`${PUBLIC}/notes/mcp/2`])
  })

  it('counts for Refresh', async () => {
    const refresh = async (value: string) =>
      (await answered('/mcp', (inner) => ({ refresh: value.replace('INNER', inner) }))).values(
        'refresh',
      )
    expect(await refresh('5; url=INNER/mcp/x')).toEqual([`5; url=${PUBLIC}/notes/mcp/x`])
    expect(await refresh('0;URL="/mcp/"')).toEqual(['0;URL="/notes/mcp/"'])
    expect(await refresh('5')).toEqual(['5'])
  })
})

it('ed10: each link of an answer names a public address', async () => {
  const answer = await answered('/mcp', (inner) => ({
    link: [
      `<${inner}/mcp/2>; rel="next", </mcp/1>;rel=prev, <next>; title="a <b>, c"`,
      '<https://elsewhere.test/x>; rel=help',
    ],
  }))
  expect(answer.values('link')).toEqual([
    `<${PUBLIC}/notes/mcp/2>; rel="next", </notes/mcp/1>;rel=prev, </next>; title="a <b>, c"`,
    '<https://elsewhere.test/x>; rel=help',
  ])
})

describe('ed10: an upstream that is a whole host', () => {
  it.each([
    ['/', '/notes/mcp/'],
    ['/landing', '/notes/mcp/landing'],
    ['INNER/landing', `${PUBLIC}/notes/mcp/landing`],
    // A server that knows its public path.
    ['/notes/mcp/landing', '/notes/mcp/landing'],
    ['INNER/notes/mcp/landing', `${PUBLIC}/notes/mcp/landing`],
  ])('%s is %s', async (sent, expected) => {
    const answer = await answered('', (inner) => ({ location: sent.replace('INNER', inner) }))
    expect(answer.values('location')).toEqual([expected])
  })

  it('leads to another resource of the same host where it says so', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(302, { location: `${PUBLIC}/wiki/page` }).end()
    })
    const { ask } = await openGateway('', {
      resources: [
        resource({ allow: ANYONE, upstream: upstream.origin }),
        resource({ id: 'wiki', url: `${PUBLIC}/wiki`, allow: ANYONE }),
      ],
    })
    expect((await ask('GET /notes/mcp')).values('location')).toEqual([`${PUBLIC}/wiki/page`])
  })

  it('maps the path of a whole-host resource', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(302, { location: `${upstream.origin}/base/x` }).end()
    })
    const resources = [
      resource({ url: PUBLIC, allow: ANYONE, upstream: `${upstream.origin}/base` }),
    ]
    const { app } = await buildTestApp({ resources })
    const { tokens } = await obtainTokens(app)
    const answer = await exchange(await listen(app), [
      'GET /y HTTP/1.1',
      'Host: mcp.example.com',
      `Authorization: Bearer ${tokens.access_token}`,
    ])
    expect(answer.values('location')).toEqual([`${PUBLIC}/x`])
  })
})

describe('ed10: a cookie of the upstream', () => {
  it.each([
    ['/mcp', 'a=1; Path=/mcp; HttpOnly', 'a=1; Path=/notes/mcp; HttpOnly'],
    ['/mcp', 'a=1; HttpOnly;path = /mcp/x', 'a=1; HttpOnly; Path=/notes/mcp/x'],
    ['/mcp', 'a=1; Path=/', 'a=1; Path=/'],
    ['/mcp', 'a=1; Path=/mcpx', 'a=1; Path=/mcpx'],
    ['/mcp', 'a=1', 'a=1'],
    ['', 'a=1; Path=/x', 'a=1; Path=/notes/mcp/x'],
    ['', 'a=1; Path=/', 'a=1; Path=/'],
    ['', '__Host-a=1; Secure; Path=/', '__Host-a=1; Secure; Path=/'],
    ['/mcp', 'a=1; Domain=127.0.0.1; Path=/mcp', 'a=1; Path=/notes/mcp'],
    ['/mcp', 'a=1; Domain=example.com', 'a=1; Domain=example.com'],
  ])('at %j: %s is %s', async (path, sent, expected) => {
    const answer = await answered(path, () => ({ 'set-cookie': [sent] }), { status: 200 })
    expect(answer.values('set-cookie')).toEqual([expected])
  })
})

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A server at /mcp/ that redirects /mcp there, and says what it got. */
const toSlash =
  (status: number, location = '/mcp/'): Handler =>
  (request, response) => {
    if (request.url?.startsWith('/mcp/')) {
      void bodyOf(request).then((body) => response.end(`${request.method} ${request.url} ${body}`))
    } else {
      response.writeHead(status, { location, 'content-length': '5' }).end('moved')
    }
  }

describe('sb16: a redirect within the server', () => {
  it.each([307, 308])('%i is followed with method and body', async (status) => {
    const upstream = await startUpstream(toSlash(status))
    const { ask } = await openGateway(`${upstream.origin}/mcp`)
    const answer = await ask('POST /notes/mcp?a=1', { body: '{"id":1}' })
    expect(answer).toMatchObject({ status: 200, body: 'POST /mcp/ {"id":1}' })
    expect(upstream.requests.map(({ headers }) => headers['x-forwarded-user'])).toEqual([
      'ann@example.com',
      'ann@example.com',
    ])
  })

  it.each(['http:', 'https:', ''])('is followed in its absolute form with %j', async (scheme) => {
    const upstream = await startUpstream((request, response) =>
      toSlash(307, `${upstream.origin.replace('http:', scheme)}/mcp/?b`)(request, response),
    )
    const { ask } = await openGateway(`${upstream.origin}/mcp`)
    expect((await ask('POST /notes/mcp', { body: 'x' })).body).toBe('POST /mcp/?b x')
  })

  it('is followed with a body that came in chunks', async () => {
    const upstream = await startUpstream(toSlash(307))
    const { ask } = await openGateway(`${upstream.origin}/mcp`)
    const headers = ['Transfer-Encoding: chunked']
    const answer = await ask('POST /notes/mcp', {
      headers,
      body: '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    })
    expect(answer).toMatchObject({ status: 200, body: 'POST /mcp/ abcde' })
  })

  it('is followed with a body of half a megabyte, which the server did not read', async () => {
    const upstream = await startUpstream(toSlash(307))
    const { ask } = await openGateway(`${upstream.origin}/mcp`)
    const body = 'x'.repeat(500_000)
    const answer = await ask('POST /notes/mcp', { body })
    expect(answer).toMatchObject({ status: 200, body: `POST /mcp/ ${body}` })
  })

  it('goes to the client when the body is too large to be kept, and the upload does not break', async () => {
    const upstream = await startUpstream((request, response) => {
      request.resume().on('end', () => toSlash(307)(request, response))
    })
    const { ask } = await openGateway(`${upstream.origin}/mcp`)
    const answer = await ask('POST /notes/mcp', { body: Buffer.alloc(3_000_000, 'x') })
    expect(answer).toMatchObject({ status: 307, complete: true })
    expect(answer.values('location')).toEqual(['/notes/mcp/'])
  })

  it('leaves the connections usable on both sides', async () => {
    const upstream = await startUpstream(toSlash(308))
    const { port } = await openGateway(`${upstream.origin}/mcp`)
    const client = await open(port)
    const call = `POST /notes/mcp HTTP/1.1\r\nHost: mcp.example.com\r\n${CREDENTIAL}\r\nContent-Length: 1\r\n\r\n`
    client.send(`${call}1`)
    await client.until(/POST \/mcp\/ 1/)
    client.send(`${call}2`)
    await client.until(/POST \/mcp\/ 2/)
    // The driver opens a second one while it has not yet released the first.
    const used = new Set(upstream.requests.map(({ socket }) => socket.remotePort))
    expect(upstream.requests).toHaveLength(4)
    expect(used.size).toBeLessThanOrEqual(2)
  })

  it.each([301, 302, 303])('%i is the client’s own to follow', async (status) => {
    const upstream = await startUpstream(toSlash(status))
    const { ask } = await openGateway(`${upstream.origin}/mcp`)
    const answer = await ask('POST /notes/mcp', { body: 'x' })
    expect(answer.status).toBe(status)
    expect(answer.values('location')).toEqual(['/notes/mcp/'])
    expect(answer.body).toBe('moved')
  })

  it('is shown to a browser, whose relative links depend on the address', async () => {
    const upstream = await startUpstream(toSlash(307))
    const { ask } = await openGateway(`${upstream.origin}/mcp`)
    const headers = ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']
    expect((await ask('GET /notes/mcp', { headers })).status).toBe(307)
  })

  it('that sets a cookie is shown to the client', async () => {
    const upstream = await startUpstream((request, response) => {
      response.setHeader('set-cookie', 'seen=1')
      toSlash(307)(request, response)
    })
    const { ask } = await openGateway(`${upstream.origin}/mcp`)
    const answer = await ask('GET /notes/mcp')
    expect(answer.status).toBe(307)
    expect(answer.values('set-cookie')).toEqual(['seen=1'])
  })
})

describe('sb16: a redirect that leads away', () => {
  it.each([
    ['to another host', 'http://127.0.0.1:1/mcp/', 'http://127.0.0.1:1/mcp/'],
    ['out of the path', '/admin', '/admin'],
    ['out of the path by dots', '/mcp/../admin', '/admin'],
    ['out of the path by escaped dots', '/mcp/%2e%2e/admin', '/admin'],
    ['out of the path by an escaped slash', '/mcp/..%2fadmin', '/notes/mcp/..%2fadmin'],
    ['to another scheme', 'ftp://127.0.0.1/mcp/', 'ftp://127.0.0.1/mcp/'],
  ])('%s is not followed', async (_name, location, expected) => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(307, { location }).end()
    })
    const { ask } = await openGateway(`${upstream.origin}/mcp`)
    const answer = await ask('POST /notes/mcp', { body: 'secret' })
    expect(answer.status).toBe(307)
    expect(answer.values('location')).toEqual([expected])
    expect(upstream.requests).toHaveLength(1)
  })

  it('into a resource with a policy of its own is decided there', async () => {
    const upstream = await startUpstream((request, response) => {
      if (request.url === '/mcp') response.writeHead(307, { location: '/mcp/admin/x' }).end()
      else response.end('reached')
    })
    const nobody = { anyone: false, emails: ['root@example.com'], domains: [], groups: [] }
    const { ask } = await openGateway('', {
      resources: [
        resource({ allow: ANYONE, upstream: `${upstream.origin}/mcp` }),
        resource({
          id: 'admin',
          url: `${PUBLIC}/notes/mcp/admin`,
          allow: nobody,
          upstream: `${upstream.origin}/mcp/admin`,
        }),
      ],
    })
    const answer = await ask('POST /notes/mcp', { body: '{}' })
    expect(answer.status).toBe(307)
    expect(answer.values('location')).toEqual(['/notes/mcp/admin/x'])
    expect(upstream.requests).toHaveLength(1)
  })

  it('in a circle ends with 502', async () => {
    const upstream = await startUpstream((request, response) => {
      const location = request.url === '/mcp/a' ? '/mcp/b' : '/mcp/a'
      response.writeHead(307, { location }).end()
    })
    const { ask, logs } = await openGateway(`${upstream.origin}/mcp`)
    const answer = await ask('POST /notes/mcp', { body: '{}' })
    expect(answer.status).toBe(502)
    expect(upstream.requests).toHaveLength(3)
    expect(logs.at(-1)).toMatchObject({ cause: 'Error: it redirects in a circle' })
  })

  it('again and again ends with 502 after ten', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(308, { location: `/mcp/${upstream.requests.length}` }).end()
    })
    const { ask } = await openGateway(`${upstream.origin}/mcp`)
    expect((await ask('GET /notes/mcp')).status).toBe(502)
    expect(upstream.requests).toHaveLength(11)
  })

  it('ends with the client that leaves in between', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(`${upstream.origin}/mcp`)
    const client = await open(port)
    client.send(`GET /notes/mcp HTTP/1.1\r\nHost: mcp.example.com\r\n${CREDENTIAL}\r\n\r\n`)
    const first = await upstream.next()
    first.response.writeHead(307, { location: '/mcp/' }).end()
    const second = await upstream.next()
    const closed = new Promise((resolve) => second.response.once('close', resolve))
    client.leave()
    await closed
    expect(second.response.writableFinished).toBe(false)
  })
})

it('ed10: answers on the way of an also-path keep their paths', async () => {
  const upstream = await startUpstream((_request, response) => {
    response.writeHead(202, { location: '/messages/7', 'set-cookie': 'a=1; Path=/messages' }).end()
  })
  const { ask } = await openGateway('', {
    resources: [
      resource({ allow: ANYONE, also: ['/messages'], upstream: `${upstream.origin}/sse` }),
    ],
  })
  const answer = await ask('POST /messages')
  expect(answer.values('location')).toEqual(['/messages/7'])
  expect(answer.values('set-cookie')).toEqual(['a=1; Path=/messages'])
})

describe('ed10: an upstream that gets the public Host', () => {
  it.each([
    ['http://HOST/landing', `${PUBLIC}/notes/mcp/landing`],
    ['https://HOST/notes/mcp/landing', `${PUBLIC}/notes/mcp/landing`],
    ['//HOST/landing', `${PUBLIC}/notes/mcp/landing`],
    ['INNER/landing', `${PUBLIC}/notes/mcp/landing`],
  ])('%s is %s', async (sent, expected) => {
    const upstream = await startUpstream((request, response) => {
      const location = sent
        .replace('HOST', request.headers.host ?? '')
        .replace('INNER', upstream.origin)
      response.writeHead(302, { location }).end()
    })
    const { ask } = await openGateway('', {
      resources: [
        resource({
          allow: ANYONE,
          upstream: upstream.origin,
          passThrough: { ...DEFAULT_PASS_THROUGH, host: 'public' },
        }),
      ],
    })
    expect((await ask('GET /notes/mcp')).values('location')).toEqual([expected])
    expect(upstream.requests[0]?.rawHeaders.join()).toMatch(/host,mcp\.example\.com/i)
  })
})

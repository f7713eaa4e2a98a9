import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { UNTRUSTED_FAMILIES, UNTRUSTED_HEADERS } from '../../src/http/untrusted-headers.ts'
import { DEFAULT_PASS_THROUGH } from '../../src/resources/pass-through.ts'
import { ANN, ANYONE, resource } from '../support/build-app.ts'
import { exchange } from '../support/raw-http.ts'
import { bodyOf, linesOf, startUpstream } from '../support/upstream-server.ts'
import { type Changes, openGateway, TOKEN } from './gateway.ts'

const SUB = `u_${createHash('sha256').update('builtin\0ann').digest('base64url')}`

/** Sends a request with these header lines and returns the request that reached the upstream. */
async function reached(
  headers: readonly string[],
  changes: Changes = {},
  line = 'POST /notes/mcp',
): Promise<IncomingMessage> {
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const resources = [resource({ allow: ANYONE, upstream: upstream.origin })]
  const { ask } = await openGateway('', { resources, ...changes })
  expect((await ask(line, { headers })).status).toBe(200)
  const [request] = upstream.requests
  if (!request) throw new Error('nothing arrived')
  return request
}

describe('at8, T42: headers by which another proxy steers or identifies', () => {
  it('reach the upstream in no spelling, whole families included', async () => {
    const families = UNTRUSTED_FAMILIES.map((family) => `${family}Invented`)
    const names = [...UNTRUSTED_HEADERS, ...families]
    const spellings = names.flatMap((name) =>
      ['-', '_', '.', '~', '!'].map((separator) => name.replaceAll('-', separator)),
    )
    const request = await reached(
      [...new Set(spellings)].map((name) => `${name}: mallory`),
      {
        trustedProxies: [],
      },
    )
    expect(request.rawHeaders.filter((text) => text.includes('mallory'))).toEqual([])
    expect(linesOf(request, 'x-forwarded-user')).toEqual(['ann@example.com'])
  })

  it('are left alone where the name only resembles one', async () => {
    const names = ['X-Api-User', 'Remoteness', 'X-Users-Id', 'Authorization-Hint', 'Proxy-Feature']
    const request = await reached(names.map((name) => `${name}: kept`))
    for (const name of names) expect(linesOf(request, name.toLowerCase()), name).toEqual(['kept'])
  })

  it('say what the configuration says, where it gives such a name to the identity', async () => {
    const request = await reached(['Remote_User: root', 'remote-user: root'], {
      identityHeaders: { 'Remote-User': 'user' },
    })
    expect(linesOf(request, 'remote-user')).toEqual(['ann@example.com'])
    expect(request.rawHeaders).not.toContain('root')
  })
})

it('T8: TRACE never reaches the server, whose answer would show the client our secrets', async () => {
  const upstream = await startUpstream((request, response) => {
    response.setHeader('content-type', 'message/http').end(request.rawHeaders.join('\n'))
  })
  const authorization = 'Bearer the-secret-of-the-server'
  const notes = resource({
    allow: ANYONE,
    upstream: upstream.origin,
    openPaths: ['/notes/mcp/health'],
    passThrough: { ...DEFAULT_PASS_THROUGH, authorization },
  })
  const { ask, port, logs } = await openGateway('', { resources: [notes] })
  const refused = await ask('TRACE /notes/mcp')
  expect(refused.status).toBe(405)
  expect(refused.values('allow')).toEqual(['GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'])
  const stranger = ['TRACE /notes/mcp/health HTTP/1.1', 'Host: mcp.example.com']
  expect((await exchange(port, stranger)).status).toBe(405)
  expect(upstream.requests).toEqual([])
  expect(logs).toContainEqual(
    expect.objectContaining({ event: 'request-refused', method: 'TRACE', resource: 'notes' }),
  )
  // The same request by another method arrives with the secret.
  expect((await ask('GET /notes/mcp')).body).toContain(authorization)
})

describe('the identity of the caller', () => {
  it('is told to the upstream once', async () => {
    const request = await reached([])
    expect(linesOf(request, 'x-forwarded-user')).toEqual(['ann@example.com'])
    expect(linesOf(request, 'x-forwarded-email')).toEqual(['ann@example.com'])
    expect(linesOf(request, 'x-forwarded-groups')).toEqual(['staff'])
    expect(linesOf(request, 'x-forwarded-scopes')).toEqual(['mcp'])
    expect(linesOf(request, 'x-forwarded-client')).toEqual([expect.stringMatching(/^.{16}$/)])
    expect(linesOf(request, 'x-user-id')).toEqual([SUB])
    expect(linesOf(request, 'x-user-name')).toEqual(['Ann Adams'])
  })

  it('T24: is never what the client says, in any case or number', async () => {
    const request = await reached([
      'X-Forwarded-User: root',
      'x-forwarded-user: root',
      'X-FORWARDED-EMAIL: root@example.com',
      'X-Forwarded-Groups: admins',
      'X-Forwarded-Scopes: everything',
      'X-Forwarded-Client: x',
      'X-User-Id: u_root',
      'X-User-Name: Root',
    ])
    expect(request.rawHeaders.join('\n')).not.toMatch(/root|admins|everything/i)
    expect(linesOf(request, 'x-forwarded-user')).toEqual(['ann@example.com'])
  })

  it.each([
    'X_Forwarded_User',
    'X.Forwarded.User',
    'x_forwarded-user',
    'X-Forwarded_Groups',
    'X_USER_ID',
    'X_User.Name',
  ])('CVE-2025-64484: is not smuggled in as %s', async (name) => {
    const request = await reached([`${name}: root`])
    expect(request.rawHeaders).not.toContain('root')
  })

  it.each([
    'X-Forwarded-User',
    'X-User-Id, X-Forwarded-Groups',
    'close, x-forwarded-user',
    'X_Forwarded_User',
  ])('CVE-2024-45410, CVE-2025-48865: is not taken away by Connection: %s', async (named) => {
    const request = await reached([`Connection: ${named}`, 'X-Forwarded-User: root'])
    expect(linesOf(request, 'x-forwarded-user')).toEqual(['ann@example.com'])
    expect(linesOf(request, 'x-user-id')).toEqual([SUB])
    expect(linesOf(request, 'x-forwarded-groups')).toEqual(['staff'])
  })

  it('is absent where nothing is known, and the client cannot fill it in', async () => {
    const users = [{ name: 'ann', groups: [], passwordHash: ANN.passwordHash }]
    const forged = ['X-Forwarded-Email: root@example.com', 'X-Forwarded-Groups: admins']
    const request = await reached(forged, { users })
    expect(linesOf(request, 'x-forwarded-email').join('')).toBe('')
    expect(linesOf(request, 'x-forwarded-groups').join('')).toBe('')
    expect(linesOf(request, 'x-forwarded-user')).toEqual(['ann'])
  })

  it('goes on in ASCII, whatever the name', async () => {
    const request = await reached([], { users: [{ ...ANN, displayName: 'Łukasz\r\nX: y' }] })
    expect(linesOf(request, 'x-user-name')).toEqual(['%C5%81ukasz%0D%0AX: y'])
  })
})

describe('T8: what is ours does not reach the upstream', () => {
  it('the token', async () => {
    const request = await reached([])
    expect(linesOf(request, 'authorization')).toEqual([])
    expect(request.rawHeaders.join('\n')).not.toContain(TOKEN)
  })

  it('our cookies, those of the app do', async () => {
    const request = await reached(['Cookie: a=1; __Host-gw_browser=x', 'Cookie: gw_flow_1=y; b=2'])
    expect(linesOf(request, 'cookie')).toEqual(['a=1; b=2'])
  })

  it('a Cookie header of ours alone is gone', async () => {
    const request = await reached(['Cookie: __Host-gw_browser=x'])
    expect(linesOf(request, 'cookie')).toEqual([])
  })

  it('credentials for a proxy', async () => {
    const request = await reached(['Proxy-Authorization: Basic eDp5', 'Proxy-Connection: close'])
    expect(linesOf(request, 'proxy-authorization')).toEqual([])
    expect(linesOf(request, 'proxy-connection')).toEqual([])
  })
})

describe('how the client came here', () => {
  it('is told anew for a peer that is no trusted proxy', async () => {
    const forged = [
      'X-Forwarded-For: 10.0.0.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil.test',
      'X-Forwarded-Port: 1',
      'X-Forwarded-Prefix: /evil',
      'X-Real-Ip: 10.0.0.1',
      'X_Real_IP: 10.0.0.1',
      'Forwarded: for=10.0.0.1',
    ]
    const request = await reached(forged, { trustedProxies: [] })
    expect(linesOf(request, 'x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(linesOf(request, 'x-forwarded-proto')).toEqual(['http'])
    expect(linesOf(request, 'x-forwarded-host')).toEqual(['mcp.example.com'])
    expect(request.rawHeaders.join('\n')).not.toMatch(/10\.0\.0\.1|evil/)
  })

  it('is the chain of a trusted proxy, with that proxy at its end', async () => {
    const request = await reached(['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-Proto: https'])
    expect(linesOf(request, 'x-forwarded-for')).toEqual(['203.0.113.9, 127.0.0.1'])
    expect(linesOf(request, 'x-forwarded-proto')).toEqual(['https'])
  })
})

describe('headers between two hops', () => {
  it('stay there', async () => {
    const request = await reached([
      'Connection: keep-alive, X-Hop, x-other',
      'X-Hop: 1',
      'X-Other: 2',
      'Keep-Alive: timeout=5',
      'TE: trailers',
      'Upgrade: h2c',
      'X-Stays: 3',
    ])
    for (const name of ['x-hop', 'x-other', 'keep-alive', 'te', 'upgrade']) {
      expect(linesOf(request, name), name).toEqual([])
    }
    expect(linesOf(request, 'x-stays')).toEqual(['3'])
  })

  it('end a request body where it ends, whatever Connection names', async () => {
    const upstream = await startUpstream(async (request, response) => {
      response.end(await bodyOf(request))
    })
    const { ask } = await openGateway(upstream.origin)
    const answer = await ask('POST /notes/mcp', {
      headers: ['Connection: Content-Length, Transfer-Encoding, Host'],
      body: 'the body',
    })
    expect(answer.body).toBe('the body')
  })

  it('say how long a body is in one spelling, which our parser knows', async () => {
    const request = await reached([
      'Content_Length: 100',
      'content.length: 100',
      'Transfer_Encoding: chunked',
    ])
    expect(request.rawHeaders.join()).not.toMatch(/100|chunked/)
  })

  it('from the upstream stay there, too', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(200, [
        'Connection',
        'X-Hop',
        'X-Hop',
        '1',
        'Keep-Alive',
        'timeout=5',
        'Proxy-Connection',
        'x',
        'Proxy-Authenticate',
        'Basic realm="inner"',
        'X-Stays',
        '2',
      ])
      response.end('ok')
    })
    const { ask } = await openGateway(upstream.origin)
    const answer = await ask('GET /notes/mcp')
    expect(answer.values('x-hop')).toEqual([])
    expect(answer.values('proxy-connection')).toEqual([])
    expect(answer.values('proxy-authenticate')).toEqual([])
    expect(answer.values('x-stays')).toEqual(['2'])
    expect(answer.body).toBe('ok')
  })
})

describe('everything else goes through as it came', () => {
  it('to the upstream: order, spelling, doubled lines and headers of MCP', async () => {
    const lines = [
      'MCP-Protocol-Version: 2026-07-28',
      'Mcp-Session-Id: abc',
      'Mcp-Param-Unknown: x',
      'x-twice: 1',
      'X-TWICE: 2',
      'Accept: application/json, text/event-stream',
      'X-Latin: caf\u00e9',
    ]
    const request = await reached(lines)
    const sent = lines.flatMap((line) => line.split(': '))
    expect(request.rawHeaders.join('\n')).toContain(sent.join('\n'))
  })

  it('to the client: status, doubled lines, cookies of the app', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(418, [
        'Set-Cookie',
        'a={"x":1}; Path=/',
        'Set-Cookie',
        'b=caf\u00e9',
        'Mcp-Session-Id',
        'abc',
        'Content-Length',
        '2',
      ])
      // With a string Node would write the head as UTF-8.
      response.end(Buffer.from('ok'))
    })
    const { ask } = await openGateway(upstream.origin)
    const answer = await ask('GET /notes/mcp')
    expect(answer.status).toBe(418)
    expect(answer.values('set-cookie')).toEqual(['a={"x":1}; Path=/', 'b=caf\u00e9'])
    expect(answer.values('mcp-session-id')).toEqual(['abc'])
    expect(answer.values('content-length')).toEqual(['2'])
    expect(answer.values('transfer-encoding')).toEqual([])
  })

  it('but for cookies under our names, which the upstream cannot set', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.setHeader('Set-Cookie', [
        '__Host-gw_browser=evil; Path=/; Secure',
        'gw_browser=evil',
        ' gw_flow_1 =evil',
        'gw_nothing',
        'app=1',
      ])
      response.end()
    })
    const { ask } = await openGateway(upstream.origin)
    expect((await ask('GET /notes/mcp')).values('set-cookie')).toEqual(['app=1'])
  })
})

describe('large headers', () => {
  it('of 20 kB reach the upstream', async () => {
    const big = 'x'.repeat(20_000)
    const request = await reached([`Cookie: app=${big}; gw_browser=1`])
    expect(linesOf(request, 'cookie')).toEqual([`app=${big}`])
  })

  it('of more than 64 KiB are 431', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const head = ['GET /notes/mcp HTTP/1.1', 'Host: mcp.example.com', `X: ${'x'.repeat(70_000)}`]
    expect((await exchange(port, head)).status).toBe(431)
    expect(upstream.requests).toEqual([])
  })

  it('of the upstream reach the client', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.setHeader('Set-Cookie', Array(6).fill(`app=${'x'.repeat(4000)}`))
      response.end('ok')
    })
    const { ask } = await openGateway(upstream.origin)
    const answer = await ask('GET /notes/mcp')
    expect(answer.status).toBe(200)
    expect(answer.values('set-cookie')).toHaveLength(6)
  })
})

import { describe, expect, it } from 'vitest'
import { ANYONE, resource } from '../support/build-app.ts'
import { exchange } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream-server.ts'
import { type Changes, openGateway } from './gateway.ts'

const PAGE = 'http://localhost:6274'
const EVIL = 'https://evil.test'

async function preflight(origin: string, headers: readonly string[] = [], changes: Changes = {}) {
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const { port } = await openGateway(upstream.origin, changes)
  const answer = await exchange(port, [
    'OPTIONS /notes/mcp HTTP/1.1',
    'Host: mcp.example.com',
    `Origin: ${origin}`,
    'Access-Control-Request-Method: POST',
    ...headers,
  ])
  return { answer, requests: upstream.requests }
}

describe('a preflight', () => {
  it('of an allowed page is answered here, without a token', async () => {
    const { answer, requests } = await preflight(PAGE)
    expect(answer.status).toBe(204)
    expect(answer.values('access-control-allow-origin')).toEqual([PAGE])
    expect(answer.values('access-control-allow-methods')[0]).toContain('POST')
    const allowed = (answer.values('access-control-allow-headers')[0] ?? '').split(', ')
    expect(allowed).toEqual(
      expect.arrayContaining([
        'Authorization',
        'Content-Type',
        'Accept',
        'MCP-Protocol-Version',
        'Mcp-Session-Id',
        'Mcp-Method',
        'Mcp-Name',
        'Last-Event-ID',
      ]),
    )
    expect(answer.values('vary').join()).toContain('Origin')
    expect(answer.values('access-control-allow-credentials')).toEqual([])
    expect(requests).toEqual([])
  })

  it.each([
    'x-tenant-id,traceparent',
    'sentry-trace',
    'cache-control',
    'x-custom-auth-headers',
    'mcp-param-city, Mcp-Param-a-b',
  ])('cl4: is allowed the headers that it asks for: %s', async (asked) => {
    const { answer } = await preflight(PAGE, [`Access-Control-Request-Headers: ${asked}`])
    const allowed = (answer.values('access-control-allow-headers')[0] ?? '').split(', ')
    expect(allowed).toEqual(expect.arrayContaining(asked.split(/, ?/)))
    expect(allowed).toContain('Authorization')
    expect(answer.values('vary')).toEqual([
      'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    ])
  })

  it('cl4: is allowed only names of headers, a bounded number of them, each once', async () => {
    const many = Array.from({ length: 500 }, (_, index) => `x-${index}`)
    const asked = ['a b', 'x:y', '(z)', 'authorization', `x-${'y'.repeat(200)}`, ...many].join()
    const { answer } = await preflight(PAGE, [`Access-Control-Request-Headers: ${asked}`])
    const allowed = (answer.values('access-control-allow-headers')[0] ?? '').split(', ')
    expect(allowed.length).toBeLessThanOrEqual(108)
    expect(allowed.filter((name) => !/^[\w-]{1,128}$/.test(name))).toEqual([])
    expect(allowed.filter((name) => /^authorization$/i.test(name))).toEqual(['Authorization'])
  })

  it('cl4: is allowed the method that it asks for', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const answer = await exchange(port, [
      'OPTIONS /notes/mcp HTTP/1.1',
      'Host: mcp.example.com',
      `Origin: ${PAGE}`,
      'Access-Control-Request-Method: PROPFIND',
    ])
    expect(answer.values('access-control-allow-methods')[0]).toMatch(/PUT, PATCH, .*PROPFIND$/)
  })

  it.each([EVIL, 'null', 'http://localhost.evil.test', 'https://mcp.example.com.evil.test'])(
    'T28: of %s is 403 without a word of CORS',
    async (origin) => {
      const { answer, requests } = await preflight(origin)
      expect(answer.status).toBe(403)
      expect(answer.values('access-control-allow-origin')).toEqual([])
      expect(requests).toEqual([])
    },
  )

  it('on two Origin lines is refused', async () => {
    const { answer } = await preflight(PAGE, [`Origin: ${PAGE}`])
    expect(answer.status).toBe(403)
    expect(answer.values('access-control-allow-origin')).toEqual([])
  })

  it('of a configured page is answered, loopback then only if it is on the list', async () => {
    const allowedOrigins = ['https://chat.example.com']
    expect(
      (await preflight('https://chat.example.com', [], { allowedOrigins: [] })).answer.status,
    ).toBe(403)
    const upstream = await startUpstream((_request, response) => response.end('ok'))
    const resources = [resource({ allow: ANYONE, upstream: upstream.origin })]
    const changes = { resources, allowedOrigins }
    expect((await preflight('https://chat.example.com', [], changes)).answer.status).toBe(204)
    expect((await preflight(PAGE, [], changes)).answer.status).toBe(403)
    const both = { resources, allowedOrigins: ['loopback', ...allowedOrigins] }
    expect((await preflight('https://chat.example.com', [], both)).answer.status).toBe(204)
    expect((await preflight(PAGE, [], both)).answer.status).toBe(204)
  })

  it('is none without the method it asks for: that is a request like any other', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const answer = await exchange(port, [
      'OPTIONS /notes/mcp HTTP/1.1',
      'Host: mcp.example.com',
      `Origin: ${PAGE}`,
    ])
    expect(answer.status).toBe(401)
  })
})

describe('an answer to an allowed page', () => {
  it('can be read there, and says so once, whatever the upstream says', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(200, {
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Allow-Credentials': 'true',
        'Access-Control-Expose-Headers': 'X-Upstream',
        'Mcp-Session-Id': 'abc',
      })
      response.end('ok')
    })
    const { ask } = await openGateway(upstream.origin)
    const answer = await ask('POST /notes/mcp', { headers: [`Origin: ${PAGE}`] })
    expect(answer.status).toBe(200)
    expect(answer.values('access-control-allow-origin')).toEqual([PAGE])
    expect(answer.values('access-control-allow-credentials')).toEqual([])
    expect(answer.values('access-control-expose-headers')).toEqual([
      expect.stringMatching(/WWW-Authenticate.*Mcp-Session-Id/),
    ])
  })

  it.each([
    ['401 without a token', [], 401],
    ['401 with a bad one', ['Authorization: Bearer x'], 401],
    ['400', ['Authorization: Bearer a b'], 400],
  ])('can be read there when it is %s, challenge included', async (_what, headers, status) => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const answer = await exchange(port, [
      'POST /notes/mcp HTTP/1.1',
      'Host: mcp.example.com',
      `Origin: ${PAGE}`,
      ...headers,
    ])
    expect(answer.status).toBe(status)
    expect(answer.values('access-control-allow-origin')).toEqual([PAGE])
    expect(answer.values('access-control-expose-headers')[0]).toContain('WWW-Authenticate')
    expect(answer.values('www-authenticate')).toHaveLength(1)
  })

  it('can be read there when it is 403 for a person or a scope', async () => {
    const upstream = await startUpstream()
    const nobody = { anyone: false, emails: [], domains: [], groups: [] }
    for (const change of [
      { allow: nobody },
      { allow: ANYONE, scopes: { mcp: 'Use', w: 'Write' }, requiredScopes: ['w'] },
    ]) {
      const resources = [resource({ ...change, upstream: upstream.origin })]
      const { ask } = await openGateway('', { resources })
      const answer = await ask('POST /notes/mcp', { headers: [`Origin: ${PAGE}`] })
      expect(answer.status).toBe(403)
      expect(answer.values('access-control-allow-origin')).toEqual([PAGE])
    }
  })
})

describe('T28: a page of another origin', () => {
  it('is refused with its good token, and cannot read the refusal', async () => {
    const upstream = await startUpstream((_request, response) => response.end('ok'))
    const { ask } = await openGateway(upstream.origin)
    const answer = await ask('POST /notes/mcp', { headers: [`Origin: ${EVIL}`] })
    expect(answer.status).toBe(403)
    expect(answer.values('access-control-allow-origin')).toEqual([])
    expect(upstream.requests).toEqual([])
  })
})

it('has nothing of CORS in an answer to a program that sends no Origin', async () => {
  const upstream = await startUpstream((_request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.end('ok')
  })
  const { ask } = await openGateway(upstream.origin)
  const answer = await ask('POST /notes/mcp')
  expect(answer.status).toBe(200)
  expect(answer.lines.filter(([name]) => /^access-control/i.test(name))).toEqual([])
})

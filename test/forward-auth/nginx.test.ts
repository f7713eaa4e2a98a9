import { describe, expect, it } from 'vitest'
import { adaptToNginx } from '../../src/forward-auth/contracts/nginx.ts'
import { asNginxAsks, PRM } from '../check/asked.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'

const RESOURCES = [
  resource({ allow: ANYONE }),
  resource({ id: 'b', url: 'https://b.example.com/mcp', allow: ANYONE }),
  resource({
    id: 'strict',
    url: 'https://mcp.example.com/strict',
    allow: ANYONE,
    scopes: { mcp: 'Use this server', admin: 'Rule it' },
    requiredScopes: ['admin'],
  }),
]
const first = await buildTestApp({ resources: RESOURCES })
const { tokens } = await obtainTokens(first.app)
const credential = `Authorization: Bearer ${tokens.access_token}`

/** Asks with the head of {@link asNginxAsks}, after a restart: nothing is cached. */
async function ask(lines: readonly string[] = [], url?: string) {
  const { app } = await first.restart()
  return exchange(await listen(app), asNginxAsks(lines, url))
}

describe('an answer to nginx', () => {
  it('allows with every identity header', async () => {
    const answer = await ask([credential])
    expect(answer.status).toBe(200)
    expect(answer.values('x-forwarded-user')).toEqual(['ann@example.com'])
    expect(answer.values('x-user-name')).toEqual(['Ann Adams'])
    expect(answer.values('content-length')).toEqual(['0'])
  })

  it('challenges on one line, without a body that nginx would not read', async () => {
    const answer = await ask()
    expect(answer.status).toBe(401)
    expect(answer.values('www-authenticate')).toEqual([
      `Bearer resource_metadata="${PRM}/notes/mcp", scope="mcp"`,
    ])
    expect(answer.values('location')).toEqual([])
    expect([answer.body, answer.values('content-length')]).toEqual(['', ['0']])
    expect(answer.values('content-type')).toEqual([])
  })

  it('is 401 where others get 400, and says invalid_request', async () => {
    const answer = await ask([credential, credential])
    expect(answer.status).toBe(401)
    expect(answer.values('www-authenticate')).toEqual([
      expect.stringMatching(/^Bearer error="invalid_request", .*resource_metadata=/),
    ])
  })

  it('is 403 with the challenge for a missing scope', async () => {
    const url = 'X-Original-URL: https://mcp.example.com/strict'
    const { tokens: narrow } = await obtainTokens((await first.restart()).app, {
      authorize: { resource: 'https://mcp.example.com/strict' },
    })
    const { app } = await first.restart({
      resources: RESOURCES.map((r) => ({
        ...r,
        scopes: { ...r.scopes, root: 'More' },
        requiredScopes: ['admin', 'root'],
      })),
    })
    const head = ['GET /auth/nginx HTTP/1.1', 'Host: gatewarden', url, 'X-Original-Method: GET']
    const authorization = `Authorization: Bearer ${narrow.access_token}`
    const answer = await exchange(await listen(app), [...head, authorization])
    expect(answer.status).toBe(403)
    expect(answer.values('www-authenticate')).toEqual([
      expect.stringContaining('error="insufficient_scope"'),
    ])
    expect(answer.values('x-user-id')).toEqual([])
  })

  it('names the login to a browser in Location, and stays a 401', async () => {
    const browser = ['Accept: text/html,*/*;q=0.8', 'Sec-Fetch-Mode: navigate']
    const { app } = await first.restart()
    const answer = await exchange(await listen(app), [
      'GET /auth/nginx HTTP/1.1',
      'Host: gatewarden',
      'X-Original-URL: https://mcp.example.com/notes/mcp/page?a=1&b=2',
      'X-Original-Method: GET',
      ...browser,
    ])
    expect(answer.status).toBe(401)
    expect(answer.values('location')).toEqual([
      `https://mcp.example.com/.gatewarden/login?rd=${encodeURIComponent('/notes/mcp/page?a=1&b=2')}`,
    ])
    expect(answer.values('www-authenticate')).toHaveLength(1)
  })

  it('names no login to a browser that posts', async () => {
    const answer = await ask(['Accept: text/html', 'Sec-Fetch-Mode: navigate'])
    expect(answer.status).toBe(401)
    expect(answer.values('location')).toEqual([])
  })

  it.each([
    [200, 200],
    [302, 401],
    [401, 401],
    [403, 403],
    [429, 429],
    [503, 503],
    [400, 403],
    [404, 403],
    [500, 503],
    [201, 503],
  ])('of %i becomes %i', (status, expected) => {
    const answer = adaptToNginx({ status, headers: ['Retry-After', '2', 'Content-Length', '0'] })
    expect(answer.status).toBe(expected)
    expect(answer.headers).toContain('Retry-After')
  })
})

describe('GHSA-xg2q-62g2-cvcm, GHSA-3q28-qjrv-qr39: a header of nginx:', () => {
  const [line = '', host = '', ...known] = asNginxAsks([credential])
  const NAMES = ['X-Original-URL', 'X-Original-Method']

  it.each(NAMES)('%s that is missing or empty is 403, not a guess', async (name) => {
    for (const instead of [[], [`${name}:`]]) {
      const { app } = await first.restart()
      const lines = [...known.filter((other) => !other.startsWith(name)), ...instead]
      const answer = await exchange(await listen(app), [line, host, ...lines])
      expect(answer.status).toBe(403)
      expect(answer.values('x-user-id')).toEqual([])
    }
  })

  it.each(NAMES)('%s on two lines is 403, even if they say the same', async (name) => {
    const same = known.find((other) => other.startsWith(name)) ?? ''
    for (const second of [same, `${name.toLowerCase()}: other`]) {
      expect((await ask([credential, second])).status).toBe(403)
      const { app } = await first.restart()
      const reversed = [line, host, second, ...known]
      expect((await exchange(await listen(app), reversed)).status).toBe(403)
    }
  })

  it.each([
    ['without a scheme', '//mcp.example.com/notes/mcp'],
    ['that is a path', '/notes/mcp'],
    ['of another scheme', 'ftp://mcp.example.com/notes/mcp'],
    ['without a host', 'https:///notes/mcp'],
    ['with a port only', 'https://:443/notes/mcp'],
    ['with userinfo', 'https://mcp.example.com@b.example.com/notes/mcp'],
    ['with userinfo and a password', 'https://a:b@mcp.example.com/notes/mcp'],
    ['without a path', 'https://mcp.example.com'],
    ['with a query only', 'https://mcp.example.com?/notes/mcp'],
    ['with two hosts', 'https://mcp.example.com,b.example.com/notes/mcp'],
    ['with a space', 'https://mcp.example.com /notes/mcp'],
    ['with a backslash', 'https://mcp.example.com\\@b.example.com/notes/mcp'],
    ['with dot segments', 'https://mcp.example.com/notes/mcp/../../strict'],
    ['with an encoded slash', 'https://mcp.example.com/notes/mcp/..%2Fx'],
    ['with two slashes', 'https://mcp.example.com//notes/mcp'],
    ['of an unknown host', 'https://elsewhere.test/notes/mcp'],
  ])('X-Original-URL %s is 403', async (_what, url) => {
    const { app } = await first.restart()
    const method = 'X-Original-Method: GET'
    const head = [line, host, credential, method, `X-Original-URL: ${url}`]
    const answer = await exchange(await listen(app), head)
    expect(answer.status).toBe(403)
    expect(answer.values('www-authenticate')).toEqual([])
  })

  it('is not looked for in what Traefik sends, nor the other way round', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const forwarded = [
      'X-Forwarded-Method: GET',
      'X-Forwarded-Host: mcp.example.com',
      'X-Forwarded-Uri: /notes/mcp',
    ]
    const asTraefik = await exchange(port, [line, host, credential, ...forwarded])
    expect(asTraefik.status).toBe(403)
    const { app: again } = await first.restart()
    const atTraefik = ['GET /auth/traefik HTTP/1.1', host, ...known]
    expect((await exchange(await listen(again), atTraefik)).status).toBe(403)
  })
})

describe('anything else that a client sends through nginx:', () => {
  it.each<[string, readonly string[]]>([
    [
      'X-Forwarded-* of another resource',
      ['X-Forwarded-Host: b.example.com', 'X-Forwarded-Uri: /mcp', 'X-Forwarded-Method: OPTIONS'],
    ],
    ['X-Original-URI', ['X-Original-URI: /healthz']],
    ['underscores and dots', ['X_Original_URL: https://b.example.com/mcp', 'X.Original.Method: X']],
    ['Forwarded', ['Forwarded: host=b.example.com']],
    ['CVE-2024-45410: Connection', ['Connection: X-Original-URL, X-Original-Method']],
  ])('%s changes nothing', async (_what, lines) => {
    expect((await ask([credential, ...lines])).status).toBe(200)
    const refused = await ask(lines)
    expect(refused.status).toBe(401)
    expect(refused.values('www-authenticate')).toEqual([
      `Bearer resource_metadata="${PRM}/notes/mcp", scope="mcp"`,
    ])
  })

  it('T24: an address that pins a resource opens no other one', async () => {
    expect((await ask([credential], '/auth/nginx/r/notes')).status).toBe(200)
    const answer = await ask([credential], '/auth/nginx/r/b')
    expect(answer.status).toBe(403)
    expect(answer.values('www-authenticate')).toEqual([])
  })

  it('T24, issue 3506: a peer that is no trusted proxy is 403 in this family, too', async () => {
    const { app } = await first.restart()
    const answer = await app.inject({
      url: '/auth/nginx',
      headers: {
        authorization: `Bearer ${tokens.access_token}`,
        'x-original-url': 'https://mcp.example.com/notes/mcp',
        'x-original-method': 'POST',
      },
      remoteAddress: '203.0.113.9',
    })
    expect([answer.statusCode, answer.body]).toEqual([403, ''])
  })
})

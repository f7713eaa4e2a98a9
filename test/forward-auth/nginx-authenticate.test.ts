import { describe, expect, it } from 'vitest'
import { PRM } from '../check/asked.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'

const NOTES = resource({ allow: ANYONE })
const WIKI = resource({ id: 'wiki', url: 'https://wiki.example.com', allow: ANYONE })
const first = await buildTestApp({ resources: [NOTES, WIKI] })
const { tokens } = await obtainTokens(first.app)
const credential = `Authorization: Bearer ${tokens.access_token}`

async function ask(host: string | undefined, lines: readonly string[] = [], changes = {}) {
  const { app } = await first.restart(changes)
  return exchange(await listen(app), [
    'GET /authenticate HTTP/1.1',
    ...(host === undefined ? [] : [`Host: ${host}`]),
    ...lines,
  ])
}

describe('/authenticate', () => {
  it.each(['mcp.example.com', 'MCP.example.com', 'mcp.example.com.', 'mcp.example.com:443'])(
    'is about the only resource of the host %s',
    async (host) => {
      const allowed = await ask(host, [credential])
      expect(allowed.status).toBe(200)
      expect(allowed.values('x-forwarded-user')).toEqual(['ann@example.com'])
      const refused = await ask(host)
      expect(refused.status).toBe(401)
      expect(refused.values('www-authenticate')).toEqual([
        `Bearer resource_metadata="${PRM}/notes/mcp", scope="mcp"`,
      ])
    },
  )

  it('is about a resource that is the whole host', async () => {
    const answer = await ask('wiki.example.com')
    expect(answer.status).toBe(401)
    expect(answer.values('www-authenticate')).toEqual([
      'Bearer resource_metadata="https://wiki.example.com/.well-known/oauth-protected-resource", scope="mcp"',
    ])
    expect((await ask('wiki.example.com', [credential])).status).toBe(401)
  })

  it('is about one host of a wildcard', async () => {
    const resources = [resource({ url: 'https://*.labs.example.com', allow: ANYONE })]
    const answer = await ask('a.labs.example.com', [], { resources })
    expect(answer.values('www-authenticate')[0]).toContain('https://a.labs.example.com/')
  })

  it.each([
    ['an unknown host', 'elsewhere.test'],
    ['our own host', 'auth.example.com'],
    ['a port that no resource has', 'mcp.example.com:8443'],
    ['userinfo', 'x@mcp.example.com'],
    ['two hosts', 'mcp.example.com,wiki.example.com'],
    ['an empty host', ''],
  ])('refuses %s', async (_what, host) => {
    const answer = await ask(host, [credential])
    expect(answer.status).toBe(403)
    expect(answer.values('www-authenticate')).toEqual([])
  })

  it('refuses a host with several resources, and says in the log where to ask', async () => {
    const resources = [NOTES, resource({ id: 'b', url: 'https://mcp.example.com/b' })]
    const { app, logs } = await first.restart({ resources })
    const head = ['GET /authenticate HTTP/1.1', 'Host: mcp.example.com', credential]
    expect((await exchange(await listen(app), head)).status).toBe(403)
    expect(logs).toContainEqual(
      expect.objectContaining({
        reason: 'several protected servers are at this host: ask at /auth/nginx',
      }),
    )
  })

  it('believes no header but Host', async () => {
    const others = [
      'X-Forwarded-Host: wiki.example.com',
      'X-Forwarded-Uri: /elsewhere',
      'X-Original-URL: https://wiki.example.com/',
      'X-Original-URI: /elsewhere',
    ]
    expect((await ask('mcp.example.com', [credential, ...others])).status).toBe(200)
    expect(
      (await ask('elsewhere.test', [credential, 'X-Forwarded-Host: mcp.example.com'])).status,
    ).toBe(403)
  })

  it('names the login to a browser only if the proxy says that it opens a page', async () => {
    const browser = ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']
    const plain = await ask('wiki.example.com', browser)
    expect([plain.status, plain.values('location')]).toEqual([401, []])
    const told = await ask('wiki.example.com', [...browser, 'X-Original-Method: GET'])
    expect(told.status).toBe(401)
    expect(told.values('location')).toEqual(['https://wiki.example.com/.gatewarden/login?rd=%2F'])
    const posting = await ask('wiki.example.com', [...browser, 'X-Original-Method: POST'])
    expect(posting.values('location')).toEqual([])
  })

  it('pins nothing, and believes trusted proxies only', async () => {
    const { app } = await first.restart()
    const headers = { authorization: `Bearer ${tokens.access_token}`, host: 'mcp.example.com' }
    expect((await app.inject({ url: '/authenticate/r/notes', headers })).statusCode).toBe(404)
    const stranger = { url: '/authenticate', headers, remoteAddress: '203.0.113.9' }
    expect((await app.inject(stranger)).statusCode).toBe(403)
  })
})

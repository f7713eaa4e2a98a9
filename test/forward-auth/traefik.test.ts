import { METHODS } from 'node:http'
import { describe, expect, it } from 'vitest'
import { asTraefikAsks } from '../check/asked.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen, open, parseAnswer } from '../support/raw-http.ts'

const RESOURCES = [
  resource({ allow: ANYONE }),
  resource({ id: 'b', url: 'https://b.example.com/mcp', allow: ANYONE }),
]
const first = await buildTestApp({ resources: RESOURCES })
const { tokens } = await obtainTokens(first.app)
const authorization = `Bearer ${tokens.access_token}`
const credential = `Authorization: ${authorization}`

describe('GHSA-xg2q-62g2-cvcm, GHSA-3q28-qjrv-qr39: a forwarded header', () => {
  const NAMES = ['X-Forwarded-Method', 'X-Forwarded-Host', 'X-Forwarded-Uri']

  it.each(NAMES)('%s that is missing or empty is 403, not a guess', async (name) => {
    const { app } = await first.restart()
    for (const value of [undefined, '']) {
      const answer = await check(app, { authorization, [name.toLowerCase()]: value })
      expect(answer.statusCode).toBe(403)
      expect(answer.json()).toEqual({
        error: 'access_denied',
        error_description: `${name} is missing`,
      })
    }
  })

  it.each(NAMES)('%s on two lines is 400, even if they say the same', async (name) => {
    const { app } = await first.restart()
    const port = await listen(app)
    const lines = asTraefikAsks([credential])
    const known = lines.find((line) => line.startsWith(name)) ?? ''
    for (const second of [known, `${name.toLowerCase()}: other`, `${name}:`]) {
      for (const both of [
        [...lines, second],
        [lines[0] ?? '', second, ...lines.slice(1)],
      ]) {
        const answer = await exchange(port, both)
        expect(answer.status).toBe(400)
        expect(JSON.parse(answer.body)).toEqual({
          error: 'invalid_request',
          error_description: `${name} is doubled`,
        })
      }
    }
  })

  it('missing altogether is 403 for a direct caller on loopback, too', async () => {
    const { app } = await first.restart()
    const answer = await app.inject({ url: '/auth/traefik', headers: { authorization } })
    expect(answer.statusCode).toBe(403)
  })

  it('is the only place where host and path are looked for', async () => {
    const { app } = await first.restart()
    const answer = await app.inject({
      url: '/auth/traefik',
      headers: {
        authorization,
        host: 'mcp.example.com',
        'x-original-url': 'https://mcp.example.com/notes/mcp',
        'x-original-uri': '/notes/mcp',
        'x-original-method': 'POST',
        'x-rewrite-url': '/notes/mcp',
        forwarded: 'host=mcp.example.com;proto=https',
      },
    })
    expect(answer.statusCode).toBe(403)
  })
})

describe('anything else that a client or proxy sends:', () => {
  it.each<[string, Record<string, string>]>([
    ['X-Original-URL of another resource', { 'x-original-url': 'https://b.example.com/mcp' }],
    ['a Host of another resource', { host: 'b.example.com' }],
    ['CVE-2026-35051: X-Forwarded-Prefix', { 'x-forwarded-prefix': '/evil' }],
    ['CVE-2026-54764: X-Forwarded-Port', { 'x-forwarded-port': '8443' }],
    ['the protocol of a WebSocket', { 'x-forwarded-proto': 'ws' }],
    ['the protocol of a secure WebSocket', { 'x-forwarded-proto': 'wss' }],
    ['plain http, TLS having ended earlier', { 'x-forwarded-proto': 'http' }],
    ['a method that nobody knows', { 'x-forwarded-method': 'FROBNICATE' }],
    ['X-Forwarded-Server', { 'x-forwarded-server': 'evil.test' }],
  ])('%s changes nothing', async (_what, headers) => {
    const { app } = await first.restart()
    expect((await check(app, { authorization, ...headers })).statusCode).toBe(200)
    const refused = await check(app, headers)
    expect(refused.headers['www-authenticate']).toBe(
      'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/notes/mcp", scope="mcp"',
    )
  })

  it('CVE-2026-40575: an X-Forwarded-Uri steers to no address that needs no token', async () => {
    const { app } = await first.restart()
    for (const uri of [
      '/healthz',
      '/.well-known/oauth-protected-resource',
      '/jwks',
      '/favicon.ico',
    ]) {
      expect((await check(app, { 'x-forwarded-uri': uri })).statusCode, uri).toBe(403)
    }
  })

  it('CVE-2025-64484: underscore and dot spellings are none of the headers we read', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const aliases = [
      'X_Forwarded_Host: b.example.com',
      'X.Forwarded.Uri: /mcp',
      'x_forwarded_uri: /',
    ]
    expect((await exchange(port, asTraefikAsks([credential, ...aliases]))).status).toBe(200)
    const [line = '', host = ''] = asTraefikAsks()
    const only = ['X_Forwarded_Host: mcp.example.com', 'X_Forwarded_Uri: /notes/mcp']
    expect((await exchange(port, [line, host, credential, ...only])).status).toBe(403)
  })

  it('CVE-2024-45410, CVE-2025-48865: naming forwarded headers in Connection hides none of them', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const trick = 'Connection: X-Forwarded-Host, X-Forwarded-Uri, Authorization'
    expect((await exchange(port, asTraefikAsks([trick]))).status).toBe(401)
    expect((await exchange(port, asTraefikAsks([trick, credential]))).status).toBe(200)
  })
})

describe('the question may be asked', () => {
  const askable = METHODS.filter((method) => method !== 'CONNECT')

  it.each(askable)('by %s, with or without a body', async (method) => {
    const { app } = await first.restart()
    const port = await listen(app)
    const [, ...lines] = asTraefikAsks([credential])
    const ask = (further: string[], body = '') =>
      exchange(port, [`${method} /auth/traefik HTTP/1.1`, ...lines, ...further], body)
    const json = 'Content-Type: application/json'
    for (const answer of [
      await ask([]),
      await ask([json, 'Content-Length: 0']),
      await ask([json]),
      await ask([json, 'Content-Length: 9'], '{"broken"'),
      await ask([json, 'Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\n\r\n'),
    ]) {
      expect(answer.status).toBe(200)
      expect(answer.values('x-user-name')).toEqual(['Ann Adams'])
    }
  })

  it.each([
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
    ';;;',
    'a b/c',
    'nonsense',
    '/',
    `application/${'x'.repeat(5000)}`,
  ])('T33: with a body of content type %j', async (type) => {
    const { app } = await first.restart()
    const port = await listen(app)
    const [, ...lines] = asTraefikAsks([credential, `Content-Type: ${type}`, 'Content-Length: 3'])
    const answer = await exchange(port, ['POST /auth/traefik HTTP/1.1', ...lines], 'abc')
    expect(answer.status).toBe(200)
  })

  it('with a body larger than any form of ours', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const [, ...lines] = asTraefikAsks([credential, 'Content-Length: 200000'])
    const answer = await exchange(
      port,
      ['POST /auth/traefik HTTP/1.1', ...lines],
      'x'.repeat(200_000),
    )
    expect(answer.status).toBe(200)
  })

  it('with a body of which only half has come: the answer does not wait for the rest', async () => {
    const { app } = await first.restart()
    const connection = await open(await listen(app))
    const [, ...lines] = asTraefikAsks([credential, 'Content-Length: 1000'])
    connection.send(['POST /auth/traefik HTTP/1.1', ...lines, '', 'half'].join('\r\n'))
    expect(parseAnswer(await connection.until(/\r\n\r\n/)).status).toBe(200)
  })

  it('again and again on one connection', async () => {
    const { app } = await first.restart()
    const connection = await open(await listen(app))
    const allowed = `${asTraefikAsks([credential]).join('\r\n')}\r\n\r\n`
    const refused = `${asTraefikAsks().join('\r\n')}\r\n\r\n`
    connection.send(allowed)
    await connection.until(/HTTP\/1\.1 200 OK[\s\S]*\r\n\r\n/)
    connection.send(refused + allowed)
    const all = await connection.until(/200 OK[\s\S]*401 Unauthorized[\s\S]*200 OK[\s\S]*\r\n\r\n$/)
    expect(all).toMatch(/Keep-Alive: timeout=95\r\n/)
  })

  it('with 20 kB of cookies', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const big = `app=${'x'.repeat(20_000)}`
    const answer = await exchange(port, asTraefikAsks([credential, `Cookie: ${big}; gw_browser=1`]))
    expect(answer.status).toBe(200)
    expect(answer.values('cookie')).toEqual([big])
  })

  it('with cookies on two lines, which are one list', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const two = ['Cookie: a=1; __Host-gw_browser=x', 'cookie: gw_flow_1=y; b=2']
    const answer = await exchange(port, asTraefikAsks([credential, ...two]))
    expect(answer.status).toBe(200)
    expect(answer.values('cookie')).toEqual(['a=1; b=2'])
  })

  it('but not with more than 64 KiB of headers: that is 431', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const answer = await exchange(port, asTraefikAsks([credential, `X: ${'x'.repeat(70_000)}`]))
    expect(answer.status).toBe(431)
  })

  it.each([
    ['no Host', ['GET /auth/traefik HTTP/1.1', credential]],
    ['a line that is no header', asTraefikAsks([credential, 'no header'])],
    ['a NUL in a header', asTraefikAsks([credential, 'X: a\0b'])],
    ['a space before a colon', asTraefikAsks([`${credential}`, 'X-User-Id : root'])],
    ['two lengths', asTraefikAsks([credential, 'Content-Length: 1', 'Content-Length: 2'])],
    [
      'a length and chunks',
      asTraefikAsks([credential, 'Content-Length: 1', 'Transfer-Encoding: chunked']),
    ],
  ])('and not with %s: that is 400', async (_what, head) => {
    const { app } = await first.restart()
    expect((await exchange(await listen(app), head)).status).toBe(400)
  })
})

describe('the address of the question', () => {
  it('is /auth, too, as users of mcpauth have it', async () => {
    const { app } = await first.restart()
    expect((await check(app, { authorization }, '/auth')).statusCode).toBe(200)
    expect((await check(app, {}, '/auth')).statusCode).toBe(401)
    expect((await check(app, { authorization }, '/auth/r/b')).statusCode).toBe(403)
    expect((await check(app, { authorization }, '/auth/r/notes?x=1')).statusCode).toBe(200)
  })

  it('may have a query, which says nothing', async () => {
    const { app } = await first.restart()
    expect((await check(app, {}, '/auth/traefik?allow=1')).statusCode).toBe(401)
    expect((await check(app, { authorization }, '/auth/traefik?r=b')).statusCode).toBe(200)
  })

  it('T24: pins a resource, so that a forwarded host cannot borrow another one', async () => {
    const { app } = await first.restart()
    const spoofed = { authorization }
    expect((await check(app, spoofed, '/auth/traefik/r/notes')).statusCode).toBe(200)
    const answer = await check(app, spoofed, '/auth/traefik/r/b')
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toMatchObject({ error: 'access_denied' })
    expect(answer.headers).not.toHaveProperty('www-authenticate')
  })

  it.each([
    ['nothing', ''],
    ['an id in another case', 'Notes'],
    ['an escaped id', '%6eotes'],
    ['an id and a slash', 'notes/'],
    ['an id and an escaped slash', 'notes%2F'],
    ['dot segments', '../traefik'],
    ['a name of every object', '__proto__'],
    ['odd characters', "a'b(c)*!$&+,;=:@"],
    ['5,000 characters', 'x'.repeat(5000)],
    ['5,000 characters that begin like an id', `notes${'x'.repeat(5000)}`],
  ])('that pins %s is 403', async (_what, id) => {
    const { app } = await first.restart()
    const answer = await exchange(
      await listen(app),
      asTraefikAsks([credential], `/auth/traefik/r/${id}`),
    )
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'access_denied' })
  })

  it.each([
    '/auth/traefik/r/%zz',
    '/auth/traefik/',
    '/auth/traefik/r',
    '/auth/nobody',
    '/auth//traefik',
    '/AUTH',
    '/auth/traefik;x',
  ])('that is %s never allows', async (url) => {
    const { app } = await first.restart()
    const answer = await exchange(await listen(app), asTraefikAsks([credential], url))
    expect([400, 403, 404]).toContain(answer.status)
    expect(answer.values('x-forwarded-user')).toEqual([])
  })
})

describe('T24, issue 3506: a peer that is no trusted proxy', () => {
  const forwarded = {
    authorization,
    'x-forwarded-method': 'POST',
    'x-forwarded-host': 'mcp.example.com',
    'x-forwarded-uri': '/notes/mcp',
  }

  it('is refused with its good token', async () => {
    const { app } = await first.restart()
    const answer = await app.inject({
      url: '/auth/traefik',
      headers: forwarded,
      remoteAddress: '203.0.113.9',
    })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toMatchObject({ error: 'access_denied' })
    expect(answer.headers).not.toHaveProperty('www-authenticate')
    expect(answer.headers).not.toHaveProperty('x-forwarded-user')
  })

  it('is not believed when it says that it comes from loopback', async () => {
    const { app } = await first.restart()
    const answer = await app.inject({
      url: '/auth/traefik',
      headers: { ...forwarded, 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' },
      remoteAddress: '203.0.113.9',
    })
    expect(answer.statusCode).toBe(403)
  })

  it('is asked for nothing if its address is on the list', async () => {
    const { app } = await first.restart({ trustedProxies: ['203.0.113.0/24'] })
    const ask = (remoteAddress: string) =>
      app.inject({ url: '/auth/traefik', headers: forwarded, remoteAddress })
    expect((await ask('203.0.113.9')).statusCode).toBe(200)
    expect((await ask('::ffff:203.0.113.9')).statusCode).toBe(200)
    expect((await ask('203.0.114.9')).statusCode).toBe(403)
    expect((await ask('127.0.0.1')).statusCode).toBe(403)
  })

  it('fills the log with one line a minute, which names it and the setting', async () => {
    const { app, logs, clock } = await buildTestApp()
    const ask = () =>
      app.inject({ url: '/auth/traefik', headers: forwarded, remoteAddress: '203.0.113.9' })
    const seen = () => logs.filter(({ level }) => level === 40)
    const summaries = () => logs.filter(({ event }) => event === 'lines-left-out')
    await ask()
    await ask()
    clock.advance(59)
    await ask()
    expect(seen()).toHaveLength(1)
    expect(seen()[0]).toMatchObject({ peer: '203.0.113.9', family: 'traefik' })
    // fm1: the line to paste keeps what is there.
    expect(seen()[0]?.fix).toBe('TRUSTED_PROXIES=127.0.0.0/8,::1,203.0.113.9')
    expect(summaries()).toEqual([])
    expect(String(seen()[0]?.msg)).toContain('TRUSTED_PROXIES')
    clock.advance(1)
    await ask()
    await ask()
    expect(seen()).toHaveLength(2)
    expect(summaries()).toMatchObject([{ of: 'peer-untrusted', count: 2 }])
  })
})

/**
 * A server asked for by another name than the configured one (case cl11), through the public edge.
 */
import { describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { authorizeUrl, check, obtainTokens, register } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream-server.ts'
import { createVisitor, isLetIn, webApp } from '../support/visitor.ts'

const URL_OF_NOTES = 'https://mcp.example.test/mcp'
const INNER = 'http://gatewarden:11000/mcp'
const notes = resource({ url: URL_OF_NOTES, aliases: [INNER], allow: ANYONE })

const audienceOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).aud

const asked = (url: string) => {
  const { host, pathname } = new URL(url)
  return { 'x-forwarded-host': host, 'x-forwarded-uri': pathname }
}

describe('cl11: a client that knows a server by another address', () => {
  it('is challenged, and reads documents, under the address that it asked', async () => {
    const { app } = await buildTestApp({ resources: [notes] })
    const challenge = String((await check(app, asked(INNER))).headers['www-authenticate'])
    const metadata = 'http://gatewarden:11000/.well-known/oauth-protected-resource/mcp'
    expect(challenge).toContain(`resource_metadata="${metadata}"`)
    const url = new URL(metadata)
    const document = await app.inject({ url: url.pathname, headers: { host: url.host } })
    expect(document.json()).toMatchObject({
      resource: INNER,
      authorization_servers: ['https://auth.example.com'],
    })
  })

  it.each([
    ['signs in for it, and gets a token for the configured one', INNER, URL_OF_NOTES],
    ['gets the same token as a client that knows the configured one', URL_OF_NOTES, URL_OF_NOTES],
    ['may name an address below it', `${INNER}/tools`, URL_OF_NOTES],
  ])('%s', async (_what, indicator, audience) => {
    const { app } = await buildTestApp({ resources: [notes] })
    const { tokens } = await obtainTokens(app, { authorize: { resource: indicator } })
    expect(audienceOf(tokens.access_token)).toBe(audience)
    const authorization = `Bearer ${tokens.access_token}`
    for (const url of [INNER, URL_OF_NOTES]) {
      expect((await check(app, { ...asked(url), authorization })).statusCode, url).toBe(200)
    }
  })

  it('has no use for a token of another server there', async () => {
    const other = resource({ id: 'other', url: 'https://other.example.test/mcp', allow: ANYONE })
    const { app } = await buildTestApp({ resources: [notes, other] })
    const { tokens } = await obtainTokens(app, { authorize: { resource: other.url } })
    const authorization = `Bearer ${tokens.access_token}`
    expect((await check(app, { ...asked(INNER), authorization })).statusCode).toBe(401)
  })

  it('names the resource at the token endpoint by any address', async () => {
    const { app } = await buildTestApp({ resources: [notes] })
    const { client, tokens } = await obtainTokens(app, { authorize: { resource: URL_OF_NOTES } })
    const answer = await app.inject({
      method: 'POST',
      url: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: client.client_id,
        refresh_token: tokens.refresh_token,
        resource: INNER,
      }).toString(),
    })
    expect(answer.statusCode).toBe(200)
  })

  it('is told the configured URL if nothing is at the address it names', async () => {
    const { app } = await buildTestApp({ resources: [resource({ url: URL_OF_NOTES })] })
    const url = authorizeUrl(await register(app), { resource: INNER })
    const { location } = (await createBrowser(app).get(url)).headers
    const answer = new URL(String(location)).searchParams
    expect(answer.get('error')).toBe('invalid_target')
    expect(answer.get('error_description')).toBe(
      `resource must name one protected resource of this server, such as ${URL_OF_NOTES}`,
    )
  })
})

describe('cl11: the same server asked as 127.0.0.1, localhost and [::1]', () => {
  it.each(['localhost', '127.0.0.1', '[::1]'])(
    'answers as %s, with its proxy and all',
    async (name) => {
      const upstream = await startUpstream((_request, response) => response.end('the notes'))
      const { app } = await buildTestApp({
        resources: [
          resource({ url: 'http://localhost:8080/mcp', upstream: upstream.origin, allow: ANYONE }),
        ],
      })
      const port = await listen(app)
      const at = `http://${name}:8080/mcp`
      const ask = (headers: readonly string[]) =>
        exchange(port, [
          'POST /mcp HTTP/1.1',
          `Host: ${name}:8080`,
          'Content-Length: 0',
          ...headers,
        ])
      const challenged = await ask([])
      expect(challenged.status).toBe(401)
      const [challenge = ''] = challenged.values('www-authenticate')
      const document = await app.inject({
        url: new URL(/resource_metadata="([^"]*)"/.exec(challenge)?.[1] ?? '').pathname,
        headers: { host: `${name}:8080` },
      })
      expect(document.json()).toMatchObject({ resource: at })
      const { tokens } = await obtainTokens(app, { authorize: { resource: at } })
      expect(audienceOf(tokens.access_token)).toBe('http://localhost:8080/mcp')
      const allowed = await ask([`Authorization: Bearer ${tokens.access_token}`])
      expect([allowed.status, allowed.body]).toEqual([200, 'the notes'])
    },
  )
})

describe('cl11: a person who opens a page under another name of its host', () => {
  it.each([
    ['of its own', {}],
    ['under the cookie domain', { cookieDomain: 'example.com' }],
    [
      'under the cookie domain, which only the configured host is not',
      { cookieDomain: 'example.com' },
    ],
  ])('signs in there and comes back to it: %s', async (what, config) => {
    const host = what.includes('only') ? 'wiki.example.test' : 'wiki.example.com'
    const wiki = webApp(host, { aliases: ['https://old.example.com'] })
    const visitor = createVisitor(await buildTestApp({ resources: [wiki], ...config }))
    const page = 'https://old.example.com/pages/1?q=2'
    const back = await visitor.signIn(await visitor.open(page))
    expect([back.url.href, isLetIn(back)]).toEqual([page, true])
    expect(isLetIn(await visitor.open('https://old.example.com/pages/2'))).toBe(true)
  })
})

describe('cl11: at an address where nothing is configured', () => {
  const asking = { 'x-forwarded-host': 'gatewarden:11000', 'x-forwarded-uri': '/mcp?token=secret' }
  const reason = 'no protected server is configured at this address'
  const line = { reason, asked: 'gatewarden:11000/mcp', nearest: URL_OF_NOTES }

  it('a program learns so from the check, and the log says what was nearest', async () => {
    const { app, logs } = await buildTestApp({ resources: [resource({ url: URL_OF_NOTES })] })
    const answer = await check(app, asking)
    expect([answer.statusCode, answer.json().error_description]).toEqual([403, reason])
    const lines = logs.filter(({ event }) => event === 'address-unknown')
    expect(lines).toMatchObject([{ level: 30, status: 403, ...line }])
  })

  it.each([
    ['program', 'POST', [], 'application/json'],
    ['person', 'GET', ['Accept: text/html'], 'text/html; charset=utf-8'],
  ])(
    'a %s learns so from Gatewarden as the proxy, and the log says what was nearest',
    async (_who, method, headers, type) => {
      const { app, logs } = await buildTestApp({ resources: [resource({ url: URL_OF_NOTES })] })
      const port = await listen(app)
      const answer = await exchange(port, [
        `${method} /mcp?token=secret HTTP/1.1`,
        'Host: gatewarden:11000',
        ...(method === 'POST' ? ['Content-Length: 0'] : []),
        ...headers,
      ])
      expect([answer.status, answer.values('content-type')]).toEqual([404, [type]])
      if (method === 'POST') expect(JSON.parse(answer.body).error_description).toBe(reason)
      const lines = logs.filter(({ event }) => event === 'address-unknown')
      expect(lines).toMatchObject([{ level: 30, status: 404, ...line }])
      expect(JSON.stringify(logs)).not.toContain('secret')
    },
  )

  it('a program learns from Gatewarden as the proxy that the server is behind another one', async () => {
    const { app, logs } = await buildTestApp({ resources: [resource({ url: URL_OF_NOTES })] })
    const answer = await app.inject({
      method: 'POST',
      url: '/mcp',
      headers: { host: 'mcp.example.test' },
    })
    expect([answer.statusCode, answer.json().error_description]).toEqual([
      404,
      'Gatewarden is not the proxy of this server',
    ])
    expect(logs.at(-1)).toMatchObject({
      event: 'address-unknown',
      reason: 'Gatewarden is not the proxy of this server',
    })
  })

  it('a document is not there either, and says why', async () => {
    const { app } = await buildTestApp({ resources: [notes] })
    const url = '/.well-known/oauth-protected-resource/other'
    const answer = await app.inject({ url, headers: { host: 'gatewarden:11000' } })
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      {
        error: 'not_found',
        error_description:
          'no protected server is configured at the address that this document is for',
      },
    ])
  })
})

/** The pages that a person in a browser gets where a program gets JSON and signing in would not help. */
import type { LightMyRequestResponse } from 'fastify'
import { describe, expect, it } from 'vitest'
import { buildTestApp, resource } from '../support/build-app.ts'
import { check } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { makeSession } from '../support/session.ts'

const PERSON = {
  'x-forwarded-method': 'GET',
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
}
const REQUEST_ID = /mention request <code>([\w-]+)<\/code>/

function expectPage(answer: LightMyRequestResponse, status: number): void {
  expect(answer.statusCode).toBe(status)
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
  expect(answer.headers.vary).toContain('Accept')
  expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(answer.body)))
  expect(answer.headers['www-authenticate']).toBeUndefined()
}

describe.each([
  {
    what: 'an address of no server',
    asked: { 'x-forwarded-host': 'elsewhere.example.com', 'x-forwarded-uri': '/in-the-path?q' },
    reason: 'no protected server is configured at this address',
  },
  {
    what: 'a path that can be read in two ways',
    asked: { 'x-forwarded-uri': '/notes/mcp/..%2fin-the-path' },
    reason: 'the path can be read in more than one way',
  },
  {
    what: 'the address of another server than the proxy means',
    asked: {},
    url: '/auth/traefik/r/in-the-path',
    reason: 'this middleware is pinned to another server',
  },
])('$what', ({ asked, url, reason }) => {
  it('is 403, and to a person a page that names the request as the log does', async () => {
    const { app, logs } = await buildTestApp()
    const answer = await check(app, { ...PERSON, ...asked }, url)
    expectPage(answer, 403)
    expect(answer.body).toContain('Nothing can be opened at this address')
    expect(logs.find(({ msg }) => msg === 'decision')).toMatchObject({
      requestId: REQUEST_ID.exec(answer.body)?.[1],
      reason,
    })
  })

  it('is not repeated on the page', async () => {
    const { app } = await buildTestApp()
    const { body } = await check(app, { ...PERSON, ...asked }, url)
    for (const sent of ['in-the-path', 'elsewhere.example.com', 'notes']) {
      expect(body).not.toContain(sent)
    }
  })

  it.each([
    { accept: 'application/json, text/event-stream' },
    { accept: '*/*' },
    { 'sec-fetch-mode': 'cors' },
    { 'x-requested-with': 'XMLHttpRequest' },
  ])('is JSON as ever to a program: %j', async (program) => {
    const { app } = await buildTestApp()
    const answer = await check(app, { ...PERSON, ...asked, ...program }, url)
    expect(answer.statusCode).toBe(403)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers.vary).toBe('Authorization, Cookie')
    expect(answer.json()).toEqual({ error: 'access_denied', error_description: reason })
  })
})

describe('an outage of the store', () => {
  const start = async () => {
    const test = await buildTestApp()
    const { cookie } = await makeSession(test)
    await test.storage.close()
    return { ...test, cookie }
  }

  it('is 503 with Retry-After, and to a person a page', async () => {
    const { app, cookie } = await start()
    const answer = await check(app, { ...PERSON, cookie })
    expectPage(answer, 503)
    expect(answer.headers['retry-after']).toBe('2')
    expect(answer.body).toContain('Not available at this moment')
    expect(answer.body).toMatch(REQUEST_ID)
  })

  it('is JSON as ever to a program', async () => {
    const { app, cookie } = await start()
    const answer = await check(app, { cookie })
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['retry-after']).toBe('2')
    expect(answer.json()).toMatchObject({ error: 'temporarily_unavailable' })
  })

  it('has no page in the words of nginx, which passes none on, nor of a tunnel', async () => {
    const test = await buildTestApp({ edgeAuth: true, resources: [resource()] })
    const { cookie } = await makeSession(test)
    await test.storage.close()
    const nginx = await test.app.inject({
      url: '/auth/nginx',
      headers: {
        ...PERSON,
        cookie,
        'x-original-url': 'https://mcp.example.com/notes/mcp',
        'x-original-method': 'GET',
      },
    })
    expect([nginx.statusCode, nginx.headers['retry-after'], nginx.body]).toEqual([503, '2', ''])
    const tunnel = await check(test.app, { ...PERSON, cookie }, '/_ws_tunnel')
    expect(tunnel.statusCode).toBe(503)
    expect(tunnel.json()).toMatchObject({ error: 'temporarily_unavailable' })
  })
})

it('a page that is only looked at, by HEAD, has no body', async () => {
  const { app } = await buildTestApp()
  const answer = await exchange(await listen(app), [
    'HEAD /auth/traefik HTTP/1.1',
    'Host: gatewarden:11000',
    'X-Forwarded-Method: HEAD',
    'X-Forwarded-Host: elsewhere.example.com',
    'X-Forwarded-Uri: /',
    'Accept: text/html',
  ])
  expect(answer.status).toBe(403)
  expect(answer.values('content-type')).toEqual(['text/html; charset=utf-8'])
  expect(answer.body).toBe('')
})

/**
 * The pages that a person in a browser gets at an address without a resource, or if the server behind it does not
 * answer.
 */
import { describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { makeSession } from '../support/session.ts'
import { startUpstream } from '../support/upstream-server.ts'

const PERSON = ['Accept: text/html,*/*;q=0.8', 'Sec-Fetch-Mode: navigate']
const REQUEST_ID = /mention request <code>([\w-]+)<\/code>/

async function start() {
  const { app, logs } = await buildTestApp()
  const port = await listen(app)
  const ask = (line: string, headers: readonly string[], host = 'auth.example.com') =>
    exchange(port, [`${line} HTTP/1.1`, `Host: ${host}`, ...headers])
  return { ask, logs }
}

describe('an address without a resource', () => {
  it.each([
    ['/', 'auth.example.com'],
    ['/in-the-path?q', 'auth.example.com'],
    ['/auth/in-the-path', 'auth.example.com'],
    ['/in-the-path', 'mcp.example.com'],
    ['/in-the-path', 'stranger.test'],
  ])('%s of %s is 404, and to a person a page that names the request', async (path, host) => {
    const { ask, logs } = await start()
    const answer = await ask(`GET ${path}`, PERSON, host)
    expect(answer.status).toBe(404)
    expect(answer.values('content-type')).toEqual(['text/html; charset=utf-8'])
    expect(answer.values('cache-control')).toEqual(['no-store'])
    expect(answer.values('content-security-policy')[0]).toContain("default-src 'none'")
    expect(answer.body).toContain('There is nothing here')
    expect(answer.body).not.toContain('in-the-path')
    expect(answer.body).not.toContain(host)
    expect(logs.find(({ event }) => event === 'address-unknown')).toMatchObject({
      requestId: REQUEST_ID.exec(answer.body)?.[1],
    })
  })

  it.each([
    ['GET', ['Accept: */*']],
    ['GET', ['Accept: application/json, text/event-stream']],
    ['GET', ['Accept: text/html', 'Sec-Fetch-Mode: cors']],
    ['POST', PERSON],
    ['GET', []],
  ])('is JSON as ever to a program: %s %j', async (method, headers) => {
    const { ask } = await start()
    const answer = await ask(`${method} /`, headers)
    expect(answer.status).toBe(404)
    expect(answer.values('content-type')).toEqual(['application/json'])
    expect(JSON.parse(answer.body)).toEqual({
      error: 'not_found',
      error_description: 'no protected server is configured at this address',
    })
  })

  it('has no body for HEAD', async () => {
    const { ask } = await start()
    const answer = await ask('HEAD /', PERSON)
    expect([answer.status, answer.body]).toEqual([404, ''])
  })
})

it('a server that does not answer is 502, and to a person a page', async () => {
  const upstream = await startUpstream()
  const test = await buildTestApp({
    resources: [resource({ allow: ANYONE, upstream: upstream.origin })],
  })
  const { cookie } = await makeSession(test)
  await upstream.stop()
  const port = await listen(test.app)
  const head = ['GET /notes/mcp HTTP/1.1', 'Host: mcp.example.com', `Cookie: ${cookie}`]
  const answer = await exchange(port, [...head, ...PERSON])
  expect(answer.status).toBe(502)
  expect(answer.values('content-type')).toEqual(['text/html; charset=utf-8'])
  expect(answer.body).toContain('The server behind this login did not answer')
  expect(test.logs.find(({ level }) => level === 50)).toMatchObject({
    requestId: REQUEST_ID.exec(answer.body)?.[1],
  })
  expect((await exchange(port, head)).values('content-type')).toEqual(['application/json'])
})

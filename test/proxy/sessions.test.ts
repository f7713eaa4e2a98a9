/**
 * Browser sessions where Gatewarden is the reverse proxy itself.
 */
import { expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { makeSession } from '../support/session.ts'
import { linesOf, startUpstream } from '../support/upstream-server.ts'

async function opened() {
  const upstream = await startUpstream((_request, response) => response.end('the page'))
  const test = await buildTestApp({
    resources: [
      resource({ url: 'https://wiki.example.com', upstream: upstream.origin, allow: ANYONE }),
    ],
  })
  const { cookie } = await makeSession(test, { grant: { resource: 'https://wiki.example.com' } })
  const port = await listen(test.app)
  const get = (headers: readonly string[], path = '/') =>
    exchange(port, [`GET ${path} HTTP/1.1`, 'Host: wiki.example.com', ...headers])
  return { upstream, cookie, get }
}

it('opens the application, which sees the person, its own credentials and none of ours', async () => {
  const { upstream, cookie, get } = await opened()
  const answer = await get([`Cookie: theme=dark; ${cookie}`, 'Authorization: Basic YTpi'])
  expect(answer.status).toBe(200)
  expect(answer.body).toBe('the page')
  const [request] = upstream.requests
  if (!request) throw new Error('nothing arrived')
  expect(linesOf(request, 'cookie')).toEqual(['theme=dark'])
  expect(linesOf(request, 'authorization')).toEqual(['Basic YTpi'])
  expect(linesOf(request, 'x-forwarded-user')).toEqual(['ann@example.com'])
})

it('leads a person to the login, which no upstream stands before', async () => {
  const { upstream, get } = await opened()
  const answer = await get(['Accept: text/html', 'Sec-Fetch-Mode: navigate'], '/a?b')
  expect(answer.status).toBe(302)
  expect(answer.values('location')).toEqual([
    'https://wiki.example.com/.gatewarden/login?rd=%2Fa%3Fb',
  ])
  const login = await get(['Accept: text/html'], '/.gatewarden/login?rd=%2Fa%3Fb')
  expect(login.status).toBe(302)
  expect(login.values('location')[0]).toContain('https://auth.example.com/.gatewarden/login?rd=')
  expect(upstream.requests).toHaveLength(0)
})

it('T28: refuses the page of another origin', async () => {
  const { upstream, cookie, get } = await opened()
  const answer = await get([`Cookie: ${cookie}`, 'Origin: http://localhost:8000'])
  expect(answer.status).toBe(403)
  expect(answer.values('access-control-allow-credentials')).toEqual([])
  expect(upstream.requests).toHaveLength(0)
})

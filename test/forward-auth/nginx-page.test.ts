import { describe, expect, it } from 'vitest'
import { IDENTITY } from '../check/asked.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { makeSession } from '../support/session.ts'

const PERSON = ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']
const OPEN = [resource({ allow: ANYONE }), resource({ id: 'b', url: 'https://b.example.com' })]
const CLOSED = [resource({ allow: { ...ANYONE, anyone: false, emails: ['x@example.com'] } })]

const head = (lines: readonly string[], url = '/auth/nginx/page') => [
  `GET ${url} HTTP/1.1`,
  'Host: gatewarden',
  'X-Original-URL: https://mcp.example.com/notes/mcp',
  'X-Original-Method: GET',
  ...lines,
]

describe('fp8: the second question of nginx', () => {
  it('gives a refused person the page, with their name and the number of the request', async () => {
    const test = await buildTestApp({ resources: OPEN })
    const { cookie } = await makeSession(test)
    const { app, logs } = await test.restart({ resources: CLOSED })
    const answer = await exchange(await listen(app), head([...PERSON, `Cookie: ${cookie}`]))
    expect(answer.status).toBe(403)
    expect(answer.values('content-type')).toEqual(['text/html; charset=utf-8'])
    expect(answer.body).toContain('You are signed in as')
    const number = /([\w-]+-\w+)<\/code>/.exec(answer.body)?.[1]
    expect(logs).toContainEqual(expect.objectContaining({ requestId: number, status: 403 }))
  })

  it('says nothing of what an allowed check says: it opens nothing, and has no identity', async () => {
    const { app } = await buildTestApp({ resources: OPEN })
    const { tokens } = await obtainTokens(app)
    const port = await listen(app)
    const credential = `Authorization: Bearer ${tokens.access_token}`
    expect((await exchange(port, head([credential], '/auth/nginx'))).status).toBe(200)
    for (const url of ['/auth/nginx/page', '/auth/nginx/page/r/notes']) {
      const answer = await exchange(port, head([credential], url))
      expect(answer.status).toBe(503)
      expect(answer.values('retry-after')).toEqual(['1'])
      for (const name of [...IDENTITY, 'Authorization', 'Cookie']) {
        expect(answer.values(name.toLowerCase())).toEqual([])
      }
    }
  })

  it('believes the headers of nginx alone, and only the resource that it is pinned to', async () => {
    const { app } = await buildTestApp({ resources: OPEN })
    const port = await listen(app)
    const pinned = await exchange(port, head([], '/auth/nginx/page/r/b'))
    expect([pinned.status, JSON.parse(pinned.body).error]).toEqual([403, 'access_denied'])
    const unasked = await exchange(port, [
      'GET /auth/nginx/page HTTP/1.1',
      'Host: gatewarden',
      'X-Forwarded-Host: mcp.example.com',
      'X-Forwarded-Uri: /notes/mcp',
      'X-Forwarded-Method: GET',
    ])
    expect(unasked.status).toBe(403)
  })

  it('is refused to a peer that is no trusted proxy', async () => {
    const { app } = await buildTestApp({ resources: OPEN, trustedProxies: ['192.0.2.1'] })
    expect((await exchange(await listen(app), head(PERSON))).status).toBe(403)
  })
})

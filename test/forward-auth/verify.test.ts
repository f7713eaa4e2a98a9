import { describe, expect, it } from 'vitest'
import { IDENTITY_HEADERS } from '../../src/check/identity-headers.ts'
import { asTraefikAsks } from '../check/asked.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'

const first = await buildTestApp({ resources: [resource({ allow: ANYONE })] })
const { tokens } = await obtainTokens(first.app)
const authorization = `Bearer ${tokens.access_token}`

describe('/verify', () => {
  it('answers as /auth/traefik does, to the byte', async () => {
    const { app } = await first.restart()
    for (const headers of [
      { authorization },
      {},
      { authorization: 'Bearer nonsense' },
      { authorization, 'x-forwarded-uri': '/elsewhere' },
      { 'x-forwarded-host': '' },
      { accept: 'text/html', 'x-forwarded-method': 'GET' },
    ]) {
      const theirs = await check(app, headers, '/verify')
      const ours = await check(app, headers)
      expect(theirs.statusCode).toBe(ours.statusCode)
      // Each answer has a number of its own.
      const same = { date: '', 'x-request-id': '' }
      expect({ ...theirs.headers, ...same }).toEqual({ ...ours.headers, ...same })
      expect(theirs.body).toBe(ours.body)
    }
  })

  it('names the person in both headers that its users read, whatever is configured', async () => {
    for (const identityHeaders of [
      { 'X-Forwarded-User': IDENTITY_HEADERS['X-Forwarded-User'] ?? 'user' },
      { 'x-user-id': 'id' as const },
      IDENTITY_HEADERS,
    ]) {
      const { app } = await first.restart({ identityHeaders })
      const answer = await exchange(
        await listen(app),
        asTraefikAsks([`Authorization: ${authorization}`], '/verify'),
      )
      expect(answer.status).toBe(200)
      expect(answer.values('x-user-id')).toEqual([expect.stringMatching(/^u_/)])
      expect(answer.values('x-user-name')).toEqual(['Ann Adams'])
    }
  })

  it('adds them to nothing but an allow', async () => {
    const { app } = await first.restart({
      identityHeaders: {},
      resources: [resource({ allow: { ...ANYONE, anyone: false } })],
    })
    const answer = await check(app, { authorization }, '/verify')
    expect(answer.statusCode).toBe(403)
    expect(answer.headers).not.toHaveProperty('x-user-id')
  })

  it('adds them nowhere else', async () => {
    const { app } = await first.restart({ identityHeaders: {} })
    const answer = await check(app, { authorization })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).not.toHaveProperty('x-user-id')
  })

  it('pins nothing', async () => {
    const { app } = await first.restart()
    expect((await check(app, { authorization }, '/verify/r/notes')).statusCode).toBe(404)
  })

  it('believes trusted proxies only', async () => {
    const { app } = await first.restart()
    const answer = await app.inject({
      url: '/verify',
      headers: {
        authorization,
        'x-forwarded-method': 'POST',
        'x-forwarded-host': 'mcp.example.com',
        'x-forwarded-uri': '/notes/mcp',
      },
      remoteAddress: '203.0.113.9',
    })
    expect(answer.statusCode).toBe(403)
    expect(answer.headers).not.toHaveProperty('x-user-id')
  })
})

import { describe, expect, it } from 'vitest'
import { ANYONE } from '../../support/build-app.ts'
import type { Lies } from '../../support/hostile-provider.ts'
import { ACCEPTING, startAccepting } from '../../support/provider-tokens.ts'

const OPEN = { resources: [{ ...ACCEPTING, allow: ANYONE }] }

describe('an opaque token of the provider', () => {
  it('opens the server when introspection vouches for it', async () => {
    const test = await startAccepting()
    const answer = await test.bring(test.opaque())
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-groups': 'staff',
    })
    const signed = await test.bring(await test.token())
    expect(answer.headers['x-user-id']).toBe(signed.headers['x-user-id'])
  })

  it.each<readonly [string, Record<string, unknown>]>([
    ['is not active', { active: false }],
    ['is a refresh token', { token_type: 'Refresh', typ: 'Refresh' }],
    ['is an ID token', { token_type: 'ID', typ: 'ID' }],
    ['is an ID token that claims to be a bearer', { typ: 'ID' }],
    ['has to be proven', { token_type: 'DPoP' }],
    ['is bound to a certificate', { cnf: { 'x5t#S256': 'x' } }],
    ['has a list for a type', { token_type: ['Bearer'] }],
    ['is for refreshing, by its use', { token_use: 'refresh_token' }],
    ['has another issuer', { iss: 'https://evil.example' }],
    ['is for somebody else', { azp: 'other-program', aud: 'account' }],
    ['says not whose it is', { sub: undefined }],
    ['has expired', { exp: 1 }],
    ['never expires', { exp: undefined }],
    ['has a text for an expiry', { exp: '9999999999' }],
  ])('is refused when it %s', async (_what, changes) => {
    const test = await startAccepting(OPEN)
    expect((await test.bring(test.opaque(changes))).statusCode).toBe(401)
    expect(test.provider.asked('/introspect')).toBe(1)
  })

  it('without a type is one only if its use says so: refresh tokens have none, either', async () => {
    const test = await startAccepting(OPEN)
    test.provider.lies.introspection = (answer) => delete answer.token_type
    expect((await test.bring(test.opaque())).statusCode).toBe(401)
    expect((await test.bring(test.opaque({ token_use: 'access_token' }))).statusCode).toBe(200)
  })

  it('is refused when the provider does not know it', async () => {
    const test = await startAccepting(OPEN)
    expect((await test.bring('made-up')).statusCode).toBe(401)
  })

  it('is refused without a question where there is nobody to ask', async () => {
    const test = await startAccepting(OPEN)
    test.provider.lies.discovery = (document) => delete document.introspection_endpoint
    for (const token of ['made-up', 'also.made.up', test.opaque()]) {
      expect((await test.bring(token)).statusCode).toBe(401)
    }
    expect(test.provider.asked('/introspect')).toBe(0)
    expect(test.provider.asked('/.well-known/openid-configuration')).toBe(1)
  })

  it('T31: ends at most a minute after it was withdrawn', async () => {
    const test = await startAccepting()
    const token = test.opaque()
    expect((await test.bring(token)).statusCode).toBe(200)
    test.provider.introspected.delete(token)
    test.clock.advance(59)
    expect((await test.bring(token)).statusCode).toBe(200)
    test.clock.advance(1)
    expect((await test.bring(token)).statusCode).toBe(401)
  })

  it('that is good again is known as good a few seconds later', async () => {
    const test = await startAccepting()
    const token = test.opaque()
    const claims = test.provider.introspected.get(token) ?? {}
    test.provider.introspected.delete(token)
    expect((await test.bring(token)).statusCode).toBe(401)
    test.provider.introspected.set(token, claims)
    test.clock.advance(5)
    expect((await test.bring(token)).statusCode).toBe(200)
  })
})

describe('a signed token that does not say whose it is', () => {
  it('is asked about', async () => {
    const test = await startAccepting()
    const names = Object.keys(test.provider.person)
    const without = Object.fromEntries(names.map((name) => [name, undefined]))
    const token = await test.token({ ...without, aud: undefined })
    test.provider.introspected.set(token, test.claims())
    const answer = await test.bring(token)
    expect(answer.headers['x-forwarded-user']).toBe('ann@example.com')
    test.provider.lies.discovery = (document) => delete document.introspection_endpoint
    const again = await test.token({ ...without, aud: undefined })
    test.clock.advance(3600)
    expect((await test.bring(again)).statusCode).toBe(401)
  })
})

describe('an answer of introspection that says nothing about the token is an outage:', () => {
  const say = (status: number, body: string, location?: string): Lies['answer'] => {
    return (request, response) => {
      if (request.url !== '/introspect') return false
      const headers = { 'content-type': 'application/json', ...(location && { location }) }
      response.writeHead(status, headers).end(body)
      return true
    }
  }
  it.each<readonly [string, NonNullable<Lies['answer']> | undefined, RegExp]>([
    ['our secret is wrong there', say(401, '{"error":"invalid_client"}'), /invalid_client/],
    ['it has broken down', say(500, ''), /answered 500/],
    ['it wants us to wait', say(429, '{}'), /answered 429/],
    ['it forbids the question', say(403, '{}'), /./],
    ['T10: it sends us elsewhere', say(302, '{}', '/elsewhere'), /302/],
    ['it is a page', say(200, '<html>'), /./],
    ['it says neither yes nor no', say(200, '{"active":"true"}'), /active/],
    ['it is a list', say(200, '[]'), /./],
  ])('%s', async (_what, answer, reason) => {
    const test = await startAccepting(OPEN)
    if (answer) test.provider.lies.answer = answer
    const tokens = [test.opaque(), test.opaque()]
    for (const token of tokens) {
      const refused = await test.bring(token)
      expect(refused.statusCode).toBe(503)
      expect(refused.headers['retry-after']).toBe('2')
      expect(refused.headers['www-authenticate']).toBeUndefined()
    }
    const warnings = test.logs.filter(
      ({ msg }) => msg === 'tokens of the provider cannot be judged',
    )
    expect(warnings).toEqual([
      expect.objectContaining({ level: 40, reason: expect.stringMatching(reason) }),
    ])
    test.clock.advance(60)
    await test.bring(tokens[0] ?? '')
    expect(
      test.logs.filter(({ msg }) => msg === 'tokens of the provider cannot be judged'),
    ).toHaveLength(2)
    expect(JSON.stringify(test.logs)).not.toContain('opaque-')
    test.provider.lies = {}
    expect((await test.bring(tokens[0] ?? '')).statusCode).toBe(200)
  })
})

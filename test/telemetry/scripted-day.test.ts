/**
 * A day in the log: one line for each thing that happens, which says who, what, where and why, and no secret
 * (first-hour fl1 to fl10).
 *
 * @module
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { ANN, BOB, buildTestApp, type TestApp } from '../support/build-app.ts'
import { check } from '../support/oauth-client.ts'
import { type Day, playTheDay } from '../support/scripted-day.ts'
import { makeSession } from '../support/session.ts'

let day: Day
beforeAll(async () => {
  day = await playTheDay()
})

const ofEvent = (event: string) => day.logs.filter((line) => line.event === event)
const ANNS = {
  user: ANN.email,
  userId: expect.stringMatching(/^u_[\w-]{43}$/),
  resource: 'notes',
  client: 'Claude Code',
}
const GRANT = expect.stringMatching(/^[\w-]{10}$/)
const NUMBER = expect.stringMatching(/^[\w-]+-\w+$/)

describe('the line of', () => {
  it('fl1: a sign-in says who, where to, with which client, by which provider, from where', () => {
    expect(ofEvent('signed-in')).toEqual([
      expect.objectContaining({
        ...ANNS,
        clientId: day.clientId,
        provider: 'builtin',
        address: '198.51.100.7',
        scopes: ['mcp'],
        destination: 'this computer',
        grant: GRANT,
        requestId: NUMBER,
      }),
    ])
  })

  it('fl2, fm9: a refused person says who, the groups, the list, where to and with which client', () => {
    expect(ofEvent('person-refused')).toEqual([
      expect.objectContaining({
        user: BOB.email,
        groups: [],
        allowed: 'domains example.com',
        reason: 'the person is on no list',
        resource: 'notes',
        client: 'Test client',
        address: '198.51.100.7',
        requestId: NUMBER,
      }),
    ])
  })

  it('fl3: a wrong password says from where, and whether the name exists', () => {
    const failed = ofEvent('sign-in-failed')
    expect(failed).toMatchObject([
      { reason: 'wrong', user: 'ann', address: '198.51.100.7', client: 'Claude Code' },
      { reason: 'wrong', address: '198.51.100.7', client: 'Claude Code' },
    ])
    expect(failed[1]).not.toHaveProperty('user')
  })

  it('fl4: a consent says which client, where its answers go, which server and which scopes', () => {
    expect(ofEvent('consent-given')).toMatchObject([
      { client: 'Claude Code', destination: 'this computer', resource: 'notes', scopes: ['mcp'] },
      { client: 'Test client', resource: 'notes' },
    ])
    expect(ofEvent('consent-denied')).toMatchObject([
      {
        client: 'Test client',
        destination: 'this computer',
        address: '198.51.100.7',
        grant: GRANT,
      },
    ])
  })

  it('fl5: a token says whose, which server, which scopes, until when', () => {
    expect(ofEvent('token-issued')).toMatchObject([
      {
        ...ANNS,
        grantType: 'authorization_code',
        scopes: ['mcp'],
        expiresAt: '2026-11-21T10:00:00.000Z',
      },
      { ...ANNS, grantType: 'refresh_token', expiresAt: '2026-11-21T12:00:00.000Z' },
      { ...ANNS, grantType: 'refresh_token' },
    ])
  })

  it('fl6, fm11: a refused token says which server, why, by how much, and whose it was', () => {
    const refused = ofEvent('token-refused')
    expect(refused.map(({ reason }) => reason)).toEqual([
      'the token is for another server',
      'the token has expired',
      'the grant was revoked or has ended',
      'the token is not one of ours',
    ])
    expect(refused[0]).toMatchObject({ resource: 'wiki', status: 401, credential: 'bearer' })
    expect(refused[1]).toMatchObject({
      resource: 'notes',
      expiredSeconds: 3600,
      grant: GRANT,
      userId: ANNS.userId,
      address: '198.51.100.7',
    })
  })

  it('fl7: a sign-out says who, where and by whom', () => {
    expect(ofEvent('signed-out')).toMatchObject([
      { user: ANN.email, resource: 'notes', by: 'person', host: 'mcp.example.com', grant: GRANT },
    ])
  })

  it('fl8: a registration says where answers go, from where, and which software it is', () => {
    expect(ofEvent('client-registered')[0]).toMatchObject({
      client: 'Claude Code',
      clientId: day.clientId,
      destinations: ['this computer'],
      software: 'claude-code 2.1',
      address: '127.0.0.1',
    })
  })

  it('fl9: a reused refresh token says whose, which client and which server', () => {
    const { user: _, ...rest } = ANNS
    expect(ofEvent('refresh-reused')).toMatchObject([{ ...rest, grant: GRANT, level: 40 }])
  })

  it('fm3: a wrong path says what was asked for and the nearest address, without the query', () => {
    expect(ofEvent('address-unknown')).toMatchObject([
      {
        asked: 'mcp.example.com/mcp',
        nearest: 'https://mcp.example.com/notes/mcp',
        family: 'traefik',
        status: 403,
        address: '198.51.100.7',
      },
    ])
  })
})

it('who used which server: one line an hour, not one a request', () => {
  expect(ofEvent('resource-used')).toMatchObject([
    { ...ANNS, credential: 'bearer', address: '198.51.100.7', grant: GRANT },
    { ...ANNS, credential: 'bearer' },
    { user: ANN.email, resource: 'notes', credential: 'cookie' },
  ])
})

it('one id joins the lines of a permission, from the consent to the end', () => {
  const [{ grant } = { grant: undefined }] = ofEvent('signed-in')
  const joined = day.logs.filter((line) => line.grant === grant && line.event !== 'decision')
  expect([...new Set(joined.map(({ event }) => event))]).toEqual([
    'consent-given',
    'sign-in-failed',
    'signed-in',
    'token-issued',
    'resource-used',
    'token-refused',
    'refresh-reused',
  ])
})

it('every line has a name and, where a request caused it, the number of that request', () => {
  expect(day.logs.length).toBeGreaterThan(40)
  for (const line of day.logs)
    expect(line).toMatchObject({ event: expect.any(String), requestId: NUMBER })
})

it('no line holds a secret, a code, a token, a query or what somebody typed', () => {
  const written = JSON.stringify(day.logs)
  expect(day.secrets.length).toBeGreaterThan(15)
  for (const secret of day.secrets) {
    expect(secret.length).toBeGreaterThan(10)
    expect(written).not.toContain(secret)
    // Nor a piece that could be completed; the first characters of every token are the same.
    expect(written).not.toContain(secret.slice(-20))
  }
})

it('at info an allowed check makes no event but the first', async () => {
  const test: TestApp = await buildTestApp()
  const session = await makeSession(test)
  const before = test.logs.length
  for (let n = 0; n < 5; n += 1) await check(test.app, { cookie: session.cookie })
  const infos = test.logs.slice(before).filter(({ level }) => Number(level) >= 30)
  expect(infos.map(({ event }) => event)).toEqual(['resource-used'])
  test.clock.advance(3601)
  await check(test.app, { cookie: session.cookie })
  expect(test.logs.filter(({ event }) => event === 'resource-used')).toHaveLength(2)
})

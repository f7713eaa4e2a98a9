import type { LightMyRequestResponse } from 'fastify'
import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { decideRefresh, type RefreshDecision } from '../../src/oauth/tokens/refresh-rotation.ts'
import { BOB, buildTestApp, resource, SECRET, type TestApp } from '../support/build-app.ts'
import {
  check,
  obtainTokens,
  type RegisteredClient,
  refresh,
  register,
  type Tokens,
} from '../support/oauth-client.ts'
import { storedKeys, storedRecords } from '../support/stored.ts'

const GRACE = 60

describe('presenting the nth refresh token', () => {
  const state = { current: 5, parent: 3, highest: 5, at: 1000 }
  const rotate = (parent: number, highest: number, at: number): RefreshDecision => ({
    kind: 'rotate',
    state: { current: highest, parent, highest, at },
  })
  it.each<[string, number, number, RefreshDecision]>([
    ['the current one', 5, 1000, rotate(5, 6, 1000)],
    ['the current one, much later', 5, 999_999, rotate(5, 6, 999_999)],
    ['its parent at once', 3, 1000, { kind: 'repeat' }],
    ['its parent at the end of the grace', 3, 1060, { kind: 'repeat' }],
    ['its parent after the grace', 3, 1061, rotate(3, 6, 1061)],
    ['its parent, of a clock that was a minute ahead', 3, 940, { kind: 'repeat' }],
    ['ed34: its parent, of a clock that was further ahead', 3, 939, rotate(3, 6, 939)],
    ['one beyond the highest', 6, 1000, rotate(6, 7, 1000)],
    ['one far beyond the highest', 60, 1000, rotate(60, 61, 1000)],
    ['a skipped one', 4, 1000, { kind: 'revoke' }],
    ['the parent of the parent', 2, 1000, { kind: 'revoke' }],
    ['the first', 1, 1000, { kind: 'revoke' }],
  ])('%s', (_what, n, now, decision) => {
    expect(decideRefresh(state, n, now, GRACE)).toEqual(decision)
  })

  it('gives a skipped token no second life', () => {
    const later = decideRefresh(state, 3, 1061, GRACE)
    if (later.kind !== 'rotate') throw new Error('expected a rotation')
    expect(decideRefresh(later.state, 5, 1062, GRACE)).toEqual({ kind: 'revoke' })
  })

  it('repeats nothing before the first rotation', () => {
    const first = { current: 1, parent: 0, highest: 1, at: 1000 }
    expect(decideRefresh(first, 1, 1000, GRACE)).toEqual(rotate(1, 2, 1000))
  })
})

let gateway: TestApp
let client: RegisteredClient
let tokens: Tokens

async function start(changes: Parameters<typeof buildTestApp>[0] = {}): Promise<void> {
  gateway = await buildTestApp(changes)
  ;({ client, tokens } = await obtainTokens(gateway.app))
}
beforeEach(() => start())

const use = (refreshToken: string, changes: Record<string, string | undefined> = {}) =>
  refresh(gateway.app, client, refreshToken, changes)

async function rotated(refreshToken: string): Promise<Tokens> {
  const response = await use(refreshToken)
  expect(response.statusCode, response.body).toBe(200)
  return response.json()
}

function expectError(response: LightMyRequestResponse, error: string): void {
  expect(response.json()).toMatchObject({ error })
  expect(response.statusCode).toBe(400)
  expect(response.headers['cache-control']).toBe('no-store')
}

async function statusOf(accessToken: string): Promise<number> {
  return (await check(gateway.app, { authorization: `Bearer ${accessToken}` })).statusCode
}

const numberOf = (refreshToken: string) => Number(refreshToken.split('.')[1])

it('brings a new pair, which nobody may cache', async () => {
  const response = await use(tokens.refresh_token)
  expect(response.headers['cache-control']).toBe('no-store')
  expect(response.json()).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'mcp',
    refresh_token: expect.stringMatching(/^[\w-]{22}\.2\.[\w-]{43}$/),
  })
  expect(response.json().access_token).not.toBe(tokens.access_token)
  expect(await statusOf(response.json().access_token)).toBe(200)
})

it('goes on for a hundred rotations', async () => {
  let current = tokens.refresh_token
  for (let i = 0; i < 100; i += 1) current = (await rotated(current)).refresh_token
  expect(numberOf(current)).toBe(101)
  expect(await storedKeys(gateway.storage, 'refresh:')).toHaveLength(1)
})

it('answers a retry within the grace with the same successor', async () => {
  const first = await rotated(tokens.refresh_token)
  gateway.clock.advance(GRACE)
  const again = await rotated(tokens.refresh_token)
  expect(again.refresh_token).toBe(first.refresh_token)
  await rotated(again.refresh_token)
})

it('forgives an answer that was lost long ago, and the lost token is dead', async () => {
  const lost = await rotated(tokens.refresh_token)
  gateway.clock.advance(86_400)
  const found = await rotated(tokens.refresh_token)
  expect(numberOf(found.refresh_token)).toBe(3)
  expectError(await use(lost.refresh_token), 'invalid_grant')
  expectError(await use(found.refresh_token), 'invalid_grant')
})

it('T18: ends the grant when an old token is used after its successor was', async () => {
  const second = await rotated(tokens.refresh_token)
  const third = await rotated(second.refresh_token)
  expectError(await use(tokens.refresh_token), 'invalid_grant')
  expectError(await use(third.refresh_token), 'invalid_grant')
  for (const dead of [tokens, second, third]) expect(await statusOf(dead.access_token)).toBe(401)
  const left = Object.keys(await storedRecords(gateway.storage))
  expect(left.filter((key) => /^(grant|identity|refresh):/.test(key))).toEqual([])
})

it('gives 50 parallel uses of one token the same successor', async () => {
  const responses = await Promise.all(Array.from({ length: 50 }, () => use(tokens.refresh_token)))
  expect(responses.map(({ statusCode }) => statusCode)).toEqual(Array(50).fill(200))
  const successors = new Set(responses.map((response) => response.json().refresh_token))
  expect(successors.size).toBe(1)
  await rotated([...successors][0])
})

it('believes a token the store has forgotten, and goes on from there', async () => {
  const key = (await storedKeys(gateway.storage, 'refresh:'))[0] ?? ''
  const before = await gateway.storage.get(key)
  let current = tokens.refresh_token
  for (let i = 0; i < 3; i += 1) current = (await rotated(current)).refresh_token
  await gateway.storage.set(key, before, 3600)
  const next = await rotated(current)
  expect(numberOf(next.refresh_token)).toBe(5)
  expect((await rotated(current)).refresh_token).toBe(next.refresh_token)
  expect(numberOf((await rotated(next.refresh_token)).refresh_token)).toBe(6)
})

it('survives a restart between any two uses', async () => {
  for (let i = 0; i < 3; i += 1) {
    gateway = await gateway.restart()
    tokens = await rotated(tokens.refresh_token)
  }
  expect(await statusOf(tokens.access_token)).toBe(200)
})

describe('changes nothing when', () => {
  const forgeries: [string, (token: string) => string][] = [
    ['the count is raised', (token) => token.replace('.1.', '.2.')],
    ['the count has a leading zero', (token) => token.replace('.1.', '.01.')],
    ['the count is signed', (token) => token.replace('.1.', '.+1.')],
    ['the count is huge', (token) => token.replace('.1.', '.99999999999999999.')],
    ['the proof is changed', (token) => token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA')],
    ['the proof is missing', (token) => token.slice(0, token.lastIndexOf('.'))],
    ['the grant is another', (token) => (token[0] === 'A' ? 'B' : 'A') + token.slice(1)],
    ['something follows', (token) => `${token}.x`],
    ['it is nonsense', () => 'nonsense'],
    ['it is an access token', () => tokens.access_token],
  ]
  it.each(forgeries)('%s', async (_what, forge) => {
    const before = await storedRecords(gateway.storage)
    expectError(await use(forge(tokens.refresh_token)), 'invalid_grant')
    expect(await storedRecords(gateway.storage)).toEqual(before)
    await rotated(tokens.refresh_token)
  })

  it('another client presents it', async () => {
    const second = await rotated(tokens.refresh_token)
    const before = await storedRecords(gateway.storage)
    const thief = await register(gateway.app)
    for (const stolen of [tokens, second]) {
      const response = await refresh(gateway.app, thief, stolen.refresh_token)
      expectError(response, 'invalid_grant')
    }
    expect(await storedRecords(gateway.storage)).toEqual(before)
    await rotated(second.refresh_token)
  })

  it.each([
    ['T30: a scope outside the grant', { scope: 'mcp write' }, 'invalid_scope'],
    ['T30: a scope outside the grant alone', { scope: 'write' }, 'invalid_scope'],
    ['T30: one beside an unknown one', { scope: 'openid write mcp' }, 'invalid_scope'],
    ['T8: a resource of another server', { resource: 'https://other.example' }, 'invalid_target'],
    ['a resource that is no URL', { resource: 'notes' }, 'invalid_target'],
  ])('it asks for %s', async (_what, changes, error) => {
    await start({ resources: [resource({ scopes: { mcp: 'Use', write: 'Write' } })] })
    const before = await storedRecords(gateway.storage)
    expectError(await use(tokens.refresh_token, changes), error)
    expect(await storedRecords(gateway.storage)).toEqual(before)
    await rotated(tokens.refresh_token)
  })

  it('T8: it asks for another resource of the same gateway', async () => {
    const allow = { anyone: true, emails: [], domains: [], groups: [] }
    const files = resource({ id: 'files', url: 'https://files.example.com', allow })
    await start({ resources: [resource(), files] })
    const changes = { resource: 'https://files.example.com' }
    expectError(await use(tokens.refresh_token, changes), 'invalid_target')
    await rotated(tokens.refresh_token)
  })

  it('the token is missing', async () => {
    expectError(await refresh(gateway.app, client, ''), 'invalid_request')
  })
})

it('takes the resource in any covering spelling', async () => {
  const resourceUrl = 'https://MCP.example.com/notes/mcp/'
  const response = await use(tokens.refresh_token, { resource: resourceUrl })
  expect(decodeJwt(response.json().access_token).aud).toBe('https://mcp.example.com/notes/mcp')
})

describe('cl8: scopes that the server does not have', () => {
  const scopes = { mcp: 'Use', write: 'Write' }

  it.each([
    ['openid profile mcp offline_access', 'mcp offline_access'],
    ['openid profile', 'mcp offline_access'],
    ['openid openid', 'mcp offline_access'],
    ['openid offline_access', 'mcp offline_access'],
    ['notes:read-of-another-server mcp', 'mcp'],
    ['mcp mcp', 'mcp'],
    ['', 'mcp offline_access'],
    ['  ', 'mcp offline_access'],
  ])('are dropped at a refresh: %j gives %j', async (scope, granted) => {
    gateway = await buildTestApp({ resources: [resource({ scopes, defaultScopes: ['mcp'] })] })
    const asked = { authorize: { scope: 'openid profile mcp offline_access' } }
    const obtained = await obtainTokens(gateway.app, asked)
    expect(obtained.tokens.scope).toBe('mcp offline_access')
    const answer = await refresh(gateway.app, obtained.client, obtained.tokens.refresh_token, {
      scope,
    })
    expect(answer.statusCode).toBe(200)
    expect(answer.json().scope).toBe(granted)
    const next = await refresh(gateway.app, obtained.client, answer.json().refresh_token)
    expect(next.json().scope).toBe('mcp offline_access')
  })

  it('do not bring a right to refresh that was not asked for', async () => {
    const answer = await use(tokens.refresh_token, { scope: 'openid offline_access' })
    expect(answer.statusCode).toBe(200)
    expect(answer.json().scope).toBe('mcp')
  })
})

it('T30: narrows one access token to fewer scopes and keeps the grant as it is', async () => {
  const scopes = { read: 'Read', write: 'Write' }
  gateway = await buildTestApp({
    resources: [resource({ scopes, requiredScopes: [], defaultScopes: ['read', 'write'] })],
  })
  ;({ client, tokens } = await obtainTokens(gateway.app))
  const narrow = await use(tokens.refresh_token, { scope: 'read' })
  expect(narrow.json().scope).toBe('read')
  expect(decodeJwt(narrow.json().access_token).scope).toBe('read')
  expect((await rotated(narrow.json().refresh_token)).scope).toBe('read write')
})

it('is over when nobody came for the idle time', async () => {
  gateway.clock.advance(14 * 86_400)
  expectError(await use(tokens.refresh_token), 'invalid_grant')
})

it('goes on as long as somebody comes, until the grant ends', async () => {
  for (let day = 0; day < 26; day += 13) {
    gateway.clock.advance(13 * 86_400)
    tokens = await rotated(tokens.refresh_token)
  }
  gateway.clock.advance(4 * 86_400 - 100)
  tokens = await rotated(tokens.refresh_token)
  expect(tokens.expires_in).toBe(100)
  gateway.clock.advance(100)
  expectError(await use(tokens.refresh_token), 'invalid_grant')
  expect(await statusOf(tokens.access_token)).toBe(401)
})

it('is over in the very last second of the grant, which the store still keeps', async () => {
  gateway.clock.advance(0.5)
  ;({ client, tokens } = await obtainTokens(gateway.app))
  for (let day = 0; day < 30; day += 10) {
    gateway.clock.advance(10 * 86_400 - 1)
    tokens = await rotated(tokens.refresh_token)
  }
  gateway.clock.advance(2.7)
  expectError(await use(tokens.refresh_token), 'invalid_grant')
})

it('is over when the grant is gone', async () => {
  const key = (await storedKeys(gateway.storage, 'grant:'))[0] ?? ''
  await gateway.storage.delete(key)
  expectError(await use(tokens.refresh_token), 'invalid_grant')
})

it('ends the grant of a person who left the configuration', async () => {
  const { app } = await gateway.restart({ users: [BOB] })
  expectError(await refresh(app, client, tokens.refresh_token), 'invalid_grant')
  expect(await storedKeys(gateway.storage, 'grant:')).toEqual([])
  expectError(await use(tokens.refresh_token), 'invalid_grant')
})

it('knows its tokens under the previous root secret', async () => {
  const { clock, storage } = gateway
  const reuse = { clock, storage, secret: 'the next root secret, just as long' }
  const { app } = await buildTestApp({ secretPrevious: [SECRET] }, reuse)
  const response = await refresh(app, client, tokens.refresh_token)
  expect(response.statusCode).toBe(200)
  expect((await refresh(app, client, response.json().refresh_token)).statusCode).toBe(200)
})

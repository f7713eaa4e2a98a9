import { describe, expect, it } from 'vitest'
import { createCheck } from '../../src/check/check.ts'
import { IDENTITY_HEADERS } from '../../src/check/identity-headers.ts'
import { createVerifier } from '../../src/credentials/access-tokens.ts'
import { createCredentials } from '../../src/credentials/credentials.ts'
import { sha256 } from '../../src/crypto.ts'
import { NO_EVENTS } from '../../src/events.ts'
import { compileOrigins } from '../../src/http/origins.ts'
import { subjectOf } from '../../src/oauth/subject.ts'
import { createGrantWatch } from '../../src/records/grant-watch.ts'
import { createRecords } from '../../src/records/records.ts'
import { createResourceTable } from '../../src/resources/resource-table.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { ANYONE, createClock, resource } from '../support/build-app.ts'
import { testKeyring } from '../support/signing.ts'

const TOKEN = 'a.good.token'
const PERSON = { issuer: 'builtin', subject: 'ann', email: 'ann@example.com', groups: [] }
const GRANT = {
  id: 'g1',
  provider: 'builtin',
  issuer: 'builtin',
  subject: 'ann',
  clientHash: sha256('c'),
  clientName: 'Client',
  redirectHost: '127.0.0.1',
  resource: 'https://mcp.example.com/notes/mcp',
  scopes: ['mcp'],
  createdAt: 0,
  expiresAt: 4e9,
}

/** A check whose store and signature check count their calls. */
async function counted({ withPeek = true } = {}) {
  const clock = createClock()
  const memory = createMemoryStorage({ now: clock })
  const asked = { verify: 0, get: 0, peek: 0, other: 0 }
  const { unchanged } = memory
  const storage: Storage = {
    ...memory,
    get(key) {
      asked.get += 1
      return memory.get(key)
    },
    set(...record) {
      asked.other += 1
      return memory.set(...record)
    },
  }
  if (withPeek && unchanged) {
    storage.unchanged = (key) => {
      const ask = unchanged(key)
      return () => {
        asked.peek += 1
        return ask()
      }
    }
  } else {
    delete storage.peek
    delete storage.unchanged
  }
  const records = createRecords(storage, { keyring: testKeyring() })
  await records.grants.create(GRANT, PERSON, Math.floor(clock() / 1000))
  asked.other = 0
  const persons = {
    areStored: false,
    find: async () => PERSON,
    isCurrent: () => true,
    ofSignIn: () => undefined,
  }
  const verifier = createVerifier({
    personTokenOf: async () => undefined,
    records,
    now: clock,
    persons,
    watchGrant: createGrantWatch({ records, persons, liveness: undefined }),
    accessTokens: {
      issue: () => Promise.reject(new Error('nothing is issued here')),
      keyGeneration: () => 0,
      inspect(token) {
        if (token !== TOKEN) return { ok: false, reason: 'invalid' }
        const exp = Math.floor(clock() / 1000) + 60
        const { resource: aud, id: gid } = GRANT
        return {
          ok: true,
          claims: {
            sub: subjectOf(PERSON),
            aud,
            gid,
            client_id: 'c',
            scope: 'mcp',
            iat: exp - 60,
            exp,
          },
          kid: '',
          signed: '',
          signature: Buffer.alloc(0),
        }
      },
      async verifySignature({ claims }) {
        asked.verify += 1
        return { ok: true, claims }
      },
      verify: () => Promise.reject(new Error('a check inspects first')),
    },
  })
  const check = createCheck({
    credentials: createCredentials({
      verifier,
      apiKeys: {
        known: () => undefined,
        verify: () => ({ kind: 'none' }),
        inspect: () => ({ ok: false, reason: 'invalid' }),
      },
      bearers: [],
      cookies: { verify: () => ({ kind: 'none' }) },
      holdsOwnToken: () => false,
    }),
    resources: createResourceTable([resource({ allow: ANYONE })]),
    refusesWorker: () => false,
    isOwnPath: () => false,
    originAllowed: compileOrigins(['loopback'], 'https://auth.example.com'),
    identityHeaders: IDENTITY_HEADERS,
    apiKeyHeader: 'X-API-Key',
    userNames: { areUnique: true, ofTokens: new Set() },
    isOwnCookie: (name) => name.startsWith('gw_'),
    signInUrl: () => undefined,
    brand: { askForAccess: () => undefined },
    signOutUrl: () => 'https://auth.example.com/logout',
    mcpSessions: { isOwner: () => true },
    events: NO_EVENTS,
    now: clock,
  })
  const ask = (token: string | undefined = TOKEN) =>
    check({
      located: { host: 'mcp.example.com', target: '/notes/mcp', method: 'POST' },
      rawHeaders: ['Authorization', `Bearer ${token}`],
      requestId: 'r1',
    })
  return { ask, asked, records }
}

describe('a token that was seen before', () => {
  it('is answered without a promise, a signature check or any I/O but one peek', async () => {
    const { ask, asked } = await counted()
    expect((await ask()).answer.status).toBe(200)
    Object.assign(asked, { verify: 0, get: 0, peek: 0, other: 0 })
    const warm = ask()
    expect(warm).not.toBeInstanceOf(Promise)
    expect(warm).toMatchObject({ answer: { status: 200 } })
    expect(asked).toEqual({ verify: 0, get: 0, peek: 1, other: 0 })
  })

  it('is refused without a promise, too, when its grant is gone', async () => {
    const { ask, records } = await counted()
    await ask()
    await records.grants.revoke(GRANT.id)
    expect(ask()).toMatchObject({ answer: { status: 401 } })
  })

  it('is read again each time from a store that cannot peek', async () => {
    const { ask, asked, records } = await counted({ withPeek: false })
    await ask()
    await ask()
    expect(asked).toMatchObject({ verify: 2, get: 2 })
    await records.grants.revoke(GRANT.id)
    expect((await ask()).answer.status).toBe(401)
  })
})

it('refuses a forged token at once: no promise, no signature, no read of the store', async () => {
  const { ask, asked } = await counted()
  for (const forged of ['not-ours', 'a.forged.token']) {
    expect(ask(forged)).toMatchObject({ answer: { status: 401 } })
  }
  expect(asked).toMatchObject({ verify: 0, get: 0, peek: 0 })
})

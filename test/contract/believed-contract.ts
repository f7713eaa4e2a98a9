/**
 * Believed records on every storage adapter: a record that somebody else wrote, or moved, is absent (threat T44).
 *
 * @module
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAuthenticStorage } from '../../src/records/authentic.ts'
import {
  type CodeRecord,
  createRecords,
  type Grant,
  type Records,
} from '../../src/records/records.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { testKeyring } from '../support/signing.ts'
import type { OpenedStore } from './storage-contract.ts'

const NOW = 1_700_000_000
const GRANT: Grant = {
  id: 'grant-of-ann-1234',
  provider: 'builtin',
  issuer: 'builtin',
  subject: 'ann',
  clientHash: 'hash',
  clientName: 'Client',
  redirectHost: 'this computer',
  resource: 'https://mcp.example.com/mcp',
  scopes: ['mcp'],
  createdAt: NOW,
  expiresAt: NOW + 1000,
}
const CODE: CodeRecord = {
  grantId: GRANT.id,
  clientHash: 'hash',
  redirectUri: 'http://localhost/callback',
  codeChallenge: 'challenge',
  resource: GRANT.resource,
  scopes: ['mcp'],
  issuedAt: NOW,
}
const STATE = { current: 1, parent: 0, highest: 1, at: NOW }
const SESSION_CODE = {
  grantId: GRANT.id,
  host: 'mcp.example.com',
  nonceHash: 'n',
  returnTo: 'https://mcp.example.com/',
}

/** Each kind: its key, a value, how the program writes it, and how the program reads it. */
const KINDS: readonly {
  readonly key: (id: string) => string
  readonly value: unknown
  readonly write: (records: Records) => Promise<unknown>
  readonly read: (records: Records, id: string) => Promise<unknown>
}[] = [
  {
    key: (id) => `grant:${id}`,
    value: GRANT,
    write: ({ grants }) => grants.create(GRANT, { groups: [] }, NOW),
    read: ({ grants }, id) => grants.find(id),
  },
  {
    key: (id) => `identity:${id}`,
    value: { groups: ['admins'] },
    write: ({ grants }) => grants.create(GRANT, { groups: [] }, NOW),
    read: ({ grants }, id) => grants.findIdentity(id),
  },
  {
    key: (id) => `refresh:${id}`,
    value: STATE,
    write: ({ refresh }) => refresh.create(GRANT.id, STATE, 1000),
    read: ({ refresh }, id) => refresh.find(id),
  },
  {
    key: (id) => `code:${id}`,
    value: CODE,
    write: ({ codes }) => codes.create(GRANT.id, CODE),
    read: ({ codes }, id) => codes.find(id),
  },
  {
    key: (id) => `session-code:${id}`,
    value: SESSION_CODE,
    write: ({ sessionCodes }) => sessionCodes.create(GRANT.id, SESSION_CODE),
    read: ({ sessionCodes }, id) => sessionCodes.find(id),
  },
  {
    key: (id) => `session-code:${id}`,
    value: SESSION_CODE,
    write: ({ sessionCodes }) => sessionCodes.create(GRANT.id, SESSION_CODE),
    read: ({ sessionCodes }, id) => sessionCodes.take(id),
  },
  {
    key: (id) => `relayed-tokens:${id}`,
    value: 'sealed',
    write: ({ relayedTokens }) => relayedTokens.put(GRANT.id, 'sealed', 1000),
    read: ({ relayedTokens }, id) => relayedTokens.find(id),
  },
  {
    key: (id) => `relayed-tokens:${id}`,
    value: 'sealed',
    write: ({ relayedTokens }) => relayedTokens.put(GRANT.id, 'sealed', 1000),
    read: ({ relayedTokens }, id) => relayedTokens.take(id),
  },
]

/** @param open opens an empty store */
export function believedContract(
  name: string,
  open: (now: () => number) => Promise<OpenedStore>,
): void {
  describe(`${name}: at10: T44: believed records`, () => {
    let opened: OpenedStore
    let storage: Storage
    let forged: string[]
    let records: Records
    beforeEach(async () => {
      opened = await open(() => NOW * 1000)
      storage = opened.storage
      forged = []
      records = createRecords(storage, {
        keyring: testKeyring(),
        onForged: (key) => forged.push(key),
      })
    })
    afterEach(async () => {
      await storage.close()
      await opened.remove()
    })

    it.each(KINDS)('a hand-written record is absent, and reported: $value', async (kind) => {
      const key = kind.key(GRANT.id)
      const { mac } = { mac: testKeyring('another secret').macs('record', key)[0] }
      for (const written of [
        kind.value,
        { mac, value: kind.value },
        { mac: '', value: 1 },
        null,
        7,
      ]) {
        await storage.set(key, written, 1000)
        expect(await kind.read(records, GRANT.id)).toBeUndefined()
      }
      expect(forged).toEqual(Array(5).fill(key))
    })

    it.each(KINDS)('a record moved under another key is absent: $value', async (kind) => {
      await kind.write(records)
      const record = await storage.get(kind.key(GRANT.id))
      await storage.set(kind.key('grant-of-bob-5678'), record, 1000)
      expect(await kind.read(records, 'grant-of-bob-5678')).toBeUndefined()
      expect(await kind.read(records, GRANT.id)).toBeDefined()
    })

    it.each(KINDS)('a record with a changed value is absent: $value', async (kind) => {
      await kind.write(records)
      const record = await storage.get<object>(kind.key(GRANT.id))
      const value = { ...GRANT, subject: 'boss', groups: ['admins'] }
      await storage.set(kind.key(GRANT.id), { ...record, value }, 1000)
      expect(await kind.read(records, GRANT.id)).toBeUndefined()
    })

    it('T27: an MCP session has one owner, however many callers claim it at once', async () => {
      const claims = Array.from({ length: 50 }, (_, index) =>
        records.mcpSessions.claim('hash', `u_${index}`, 1000),
      )
      const owners = await Promise.all(claims)
      expect(new Set(owners).size).toBe(1)
      const [owner = ''] = owners
      await records.mcpSessions.renew('hash', 'u_other', 1000)
      expect(await records.mcpSessions.claim('hash', 'u_other', 1000)).toBe(owner)
      await records.mcpSessions.renew('hash', owner, 1000)
      expect(await records.mcpSessions.claim('hash', 'u_other', 1000)).toBe(owner)
    })

    it('T27: a hand-written owner of an MCP session counts as none', async () => {
      await storage.set('mcp-session:hash', 'u_attacker', 1000)
      expect(await records.mcpSessions.claim('hash', 'u_ann', 1000)).toBe('u_ann')
      expect(forged).toContain('mcp-session:hash')
    })

    it('a process of many may renew the tokens of a grant, until it gives the lock back', async () => {
      const { relayedTokens } = records
      const owners = Array.from({ length: 20 }, (_, index) => `process-${index}`)
      const locks = await Promise.all(owners.map((one) => relayedTokens.lock.take(GRANT.id, one)))
      expect(locks.filter((isLocked) => isLocked)).toHaveLength(1)
      const holder = String(owners[locks.indexOf(true)])
      expect(await relayedTokens.lock.take(GRANT.id, holder)).toBe(true)
      await relayedTokens.lock.release(GRANT.id, 'another')
      expect(await relayedTokens.lock.take(GRANT.id, 'another')).toBe(false)
    })

    it('of two renewals of the tokens of a grant one is stored, and none after its end', async () => {
      const { relayedTokens, grants } = records
      await relayedTokens.put(GRANT.id, 'first', 1000)
      const stored = await Promise.all(
        ['second', 'third'].map((next) => relayedTokens.replace(GRANT.id, 'first', next, 1000)),
      )
      expect(stored.toSorted()).toEqual([false, true])
      const left = String(await relayedTokens.find(GRANT.id))
      await grants.revoke(GRANT.id)
      expect(await relayedTokens.replace(GRANT.id, left, 'fourth', 1000)).toBe(false)
      expect(await relayedTokens.find(GRANT.id)).toBeUndefined()
    })

    it('a list of all grants leaves out forged ones', async () => {
      await records.grants.create(GRANT, { groups: [] }, NOW)
      await storage.set('grant:forged', { ...GRANT, id: 'forged' }, 1000)
      const found: string[] = []
      for await (const { id } of records.grants.all()) found.push(id)
      expect(found).toEqual([GRANT.id])
    })

    it('a forged record does not bar the creation of a good one', async () => {
      await storage.set(`refresh:${GRANT.id}`, STATE, 1000)
      expect(await records.refresh.create(GRANT.id, STATE, 1000)).toBe(true)
      expect(await records.refresh.find(GRANT.id)).toEqual(STATE)
      expect(await records.refresh.create(GRANT.id, STATE, 1000)).toBe(false)
    })

    it('a record made under a previous secret is read and replaced, and one of an unknown secret is not', async () => {
      const old = createRecords(storage, { keyring: testKeyring('the secret of last year') })
      await old.codes.create('hash', CODE)
      const now = createRecords(storage, {
        keyring: testKeyring('the new secret', ['another', 'the secret of last year']),
      })
      const spent = { ...CODE, spentBy: 'attempt' }
      expect(await now.codes.find('hash')).toEqual(CODE)
      expect(await now.codes.replace('hash', CODE, spent)).toBe(true)
      expect(await now.codes.replace('hash', CODE, spent)).toBe(false)
      expect(await now.codes.replace('hash', spent, CODE)).toBe(true)
      expect(await old.codes.find('hash')).toBeUndefined()
    })

    it('a MAC covers every member of a value, in whatever order they were written', async () => {
      const store = createAuthenticStorage(storage, testKeyring(), () => {})
      await store.set('key', { b: [1, { d: 2, c: 3 }], a: undefined, e: 'é\u2028' }, 1000)
      expect(await store.get('key')).toEqual({ b: [1, { c: 3, d: 2 }], e: 'é\u2028' })
    })
  })
}

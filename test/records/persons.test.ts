import { describe, expect, it } from 'vitest'
import type { Identity, RedirectProvider } from '../../src/providers/provider.ts'
import { createGrantWatch } from '../../src/records/grant-watch.ts'
import { createPersons } from '../../src/records/persons.ts'
import { createRecords, type Grant } from '../../src/records/records.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { testKeyring } from '../support/signing.ts'
import { believed } from '../support/stored.ts'

const GRANT: Grant = {
  id: 'grant',
  provider: 'oidc',
  issuer: 'https://id.example.com',
  subject: 'ann',
  clientHash: 'hash',
  clientName: 'Client',
  redirectHost: 'this computer',
  resource: 'https://mcp.example.com/mcp',
  scopes: ['mcp'],
  createdAt: 0,
  expiresAt: 1000,
}
const IDENTITY = {
  email: 'ann@example.com',
  name: 'Ann',
  preferredUsername: 'ann',
  groups: ['a', 'b'],
}
const ANN: Identity = { ...IDENTITY, issuer: GRANT.issuer, subject: GRANT.subject }

const provider: RedirectProvider = {
  id: 'oidc',
  name: 'Provider',
  uniqueUsernames: false,
  kind: 'redirect',
  speaksFor: (issuer) => issuer === GRANT.issuer,
  authorizationUrl: () => Promise.reject(new Error('nobody logs in here')),
  otherAccount: () => Promise.reject(new Error('nobody logs in here')),
  identify: () => Promise.reject(new Error('nobody logs in here')),
}

const NO_PROGRAMS = { isProgram: () => false, current: () => undefined }

async function setUp() {
  const storage = createMemoryStorage({ now: () => 0 })
  const records = createRecords(storage, { keyring: testKeyring() })
  await records.grants.create(GRANT, IDENTITY, 0)
  const persons = createPersons({ provider, records, programs: NO_PROGRAMS })
  const watch = createGrantWatch({ records, persons, liveness: undefined })(GRANT.id)
  const status = () => watch.status({ grant: GRANT, person: ANN, watch })
  return { storage, persons, status }
}

describe('a person whose provider has to be asked', () => {
  it('is the person in the record of the grant', async () => {
    const { persons, status } = await setUp()
    expect(await persons.find(GRANT)).toEqual(ANN)
    expect(status()).toBe('holds')
  })

  it.each([
    { email: 'ann.new@example.com' },
    { email: undefined },
    { name: 'Anna' },
    { preferredUsername: 'anna' },
    { groups: ['a'] },
    { groups: ['a', 'c'] },
    { groups: ['a', 'b', 'c'] },
  ])('is somebody to look at again with %o', async (change) => {
    const { storage, status } = await setUp()
    await believed(storage).set(`identity:${GRANT.id}`, { ...IDENTITY, ...change }, 1000)
    expect(status()).toBe('changed')
  })

  it('is nobody without the record, or for a provider or issuer of before', async () => {
    const { storage, persons, status } = await setUp()
    expect(await persons.find({ ...GRANT, provider: 'corp' })).toBeUndefined()
    expect(await persons.find({ ...GRANT, issuer: 'https://other.example' })).toBeUndefined()
    await storage.delete(`identity:${GRANT.id}`)
    expect(await persons.find(GRANT)).toBeUndefined()
    expect(status()).toBe('changed')
  })

  it('has a grant that is gone once it was revoked', async () => {
    const { storage, status } = await setUp()
    await storage.delete(`grant:${GRANT.id}`)
    expect(status()).toBe('gone')
  })
})

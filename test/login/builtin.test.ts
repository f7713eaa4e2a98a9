import { describe, expect, it } from 'vitest'
import { createKeyring } from '../../src/crypto.ts'
import { createBuiltinProvider, usersWithCheaperHashes } from '../../src/providers/builtin.ts'
import { ProviderBusy } from '../../src/providers/provider.ts'
import { BUILTIN_ISSUER, type UserConfig } from '../../src/providers/provider-config.ts'
import { ANN, BOB, buildTestApp, createClock, PASSWORD } from '../support/build-app.ts'
import { ISSUER } from '../support/signing.ts'

const keyring = createKeyring('secret', { issuer: ISSUER })
const deps = (users: readonly UserConfig[]) => ({ users, keyring, elapsed: createClock() })

const provider = createBuiltinProvider(deps([ANN, { ...BOB, name: 'Bob' }]))
const verify = (name: string, password = PASSWORD, address = '192.0.2.1') =>
  provider.verify({ name, password }, { isKnown: false, buckets: [{ key: address, share: 1 }] })

const ANN_AS_SHE_IS = {
  issuer: BUILTIN_ISSUER,
  subject: 'ann',
  preferredUsername: 'ann',
  email: 'ann@example.com',
  name: 'Ann Adams',
  groups: ['staff'],
}

it.each(['ann', 'ANN', ' ann ', 'ann@example.com', 'ANN@example.com'])('knows %j', async (name) => {
  expect(await verify(name)).toEqual(ANN_AS_SHE_IS)
})

it('says of a person only what the file says', async () => {
  expect(await verify('bob')).toEqual({
    issuer: BUILTIN_ISSUER,
    subject: 'bob',
    preferredUsername: 'Bob',
    email: 'bob@elsewhere.test',
    groups: [],
  })
})

describe('refuses', () => {
  it.each([
    ['ann', ''],
    ['ann', 'wrong'],
    ['ann', `${PASSWORD} `],
    ['ann', `${PASSWORD}\0`],
    ['ann', 'x'.repeat(30_000)],
    ['', PASSWORD],
    ['zed', PASSWORD],
    ['zed', ''],
    ['__proto__', PASSWORD],
    ['constructor', PASSWORD],
    ['ann@example.com@evil.example', PASSWORD],
  ])('%j with password %.20j', async (name, password) => {
    expect(await verify(name, password)).toBeUndefined()
  })
})

it('says who is still there, and only of its own issuer', () => {
  const credential = provider.credentialOf?.(ANN_AS_SHE_IS) ?? ''
  const ann = { issuer: BUILTIN_ISSUER, subject: 'ann', credential }
  expect(provider.current?.(ann)).toEqual(ANN_AS_SHE_IS)
  expect(provider.current?.({ ...ann, subject: 'zed' })).toBeUndefined()
  expect(provider.current?.({ ...ann, issuer: 'https://id.example.com' })).toBeUndefined()
})

it('at12: T46: marks a sign-in with the password, in a way that outlives a change of the secret', () => {
  const users = [
    { ...ANN, passwordHash: `${ANN.passwordHash}x` },
    { ...BOB, passwordHash: ANN.passwordHash },
  ]
  const credential = provider.credentialOf?.(ANN_AS_SHE_IS) ?? ''
  const account = { issuer: BUILTIN_ISSUER, subject: 'ann', credential }
  expect(credential).toHaveLength(43)
  expect(provider.current?.({ issuer: BUILTIN_ISSUER, subject: 'ann' })).toBeUndefined()
  expect(createBuiltinProvider(deps(users)).current?.(account)).toBeUndefined()
  expect(
    createBuiltinProvider(deps(users)).current?.({ ...account, subject: 'bob' }),
  ).toBeUndefined()
  const renewed = createKeyring('a new secret', { issuer: ISSUER, previous: ['secret'] })
  const withBoth = createBuiltinProvider({ ...deps([ANN]), keyring: renewed })
  expect(withBoth.current?.(account)).toEqual(ANN_AS_SHE_IS)
  const forgotten = createKeyring('a new secret', { issuer: ISSUER })
  const withNew = createBuiltinProvider({ ...deps([ANN]), keyring: forgotten })
  expect(withNew.current?.(account)).toBeUndefined()
})

it('takes one at a time and lets sixteen wait', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 40 }, (_, i) => verify('ann', PASSWORD, `192.0.2.${i}`)),
  )
  const busy = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(outcomes.length - busy.length).toBe(17)
  for (const { reason } of busy) {
    expect(reason).toBeInstanceOf(ProviderBusy)
    expect(reason.retryAfterSeconds).toBeGreaterThan(0)
  }
  expect(await verify('ann')).toEqual(ANN_AS_SHE_IS)
})

describe('at11, T45: hashes of unequal cost', () => {
  const users = [8, 16, 24].map((memory, i) => ({
    ...BOB,
    name: `user${i}`,
    email: `user${i}@example.com`,
    passwordHash: `$argon2id$v=19$m=${memory},t=1,p=1$c29tZXNhbHQ$AAAA`,
  }))
  const costOf = (hash: string) => Number(/m=(\d+)/.exec(hash)?.[1])

  async function costsOf(names: readonly string[]): Promise<number[]> {
    const costs: number[] = []
    const counting = createBuiltinProvider({
      ...deps(users),
      verifyHash: async (hash) => {
        costs.push(costOf(hash))
        return false
      },
    })
    for (const name of names) {
      await counting.verify({ name, password: 'wrong' }, { isKnown: false, buckets: [] })
    }
    return costs
  }
  const unknown = Array.from({ length: 300 }, (_, i) => `stranger ${i}`)

  it('at11, T45: unknown names cost what known names cost, in the same mix', async () => {
    const known = await costsOf(users.map(({ name }) => name))
    const costs = await costsOf(unknown)
    expect(new Set(costs)).toEqual(new Set(known))
    for (const cost of known) {
      const share = costs.filter((each) => each === cost).length / costs.length
      expect(share).toBeGreaterThan(0.2)
    }
  })

  it('an unknown name costs the same each time, in every spelling', async () => {
    expect(await costsOf(unknown)).toEqual(await costsOf(unknown))
    const spelt = await costsOf(unknown.map((name) => ` ${name.toUpperCase()} `))
    expect(spelt).toEqual(await costsOf(unknown))
  })

  it('a hash that stands in for an unknown name fits no password', async () => {
    for (let i = 0; i < 20; i += 1) expect(await verify(`stranger ${i}`)).toBeUndefined()
  })

  it('at11: the start names the users whose hashes are cheaper', async () => {
    expect(usersWithCheaperHashes(users)).toEqual(['user0', 'user1'])
    const { logs } = await buildTestApp({ users })
    expect(logs).toContainEqual(
      expect.objectContaining({
        users: ['user0', 'user1'],
        msg: expect.stringContaining('cost less than others'),
      }),
    )
    const equal = await buildTestApp()
    expect(equal.logs.filter(({ msg }) => String(msg).includes('cost less'))).toEqual([])
  })
})

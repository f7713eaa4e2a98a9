import { hash } from '@node-rs/argon2'
import { describe, expect, it } from 'vitest'
import { BUILTIN_ISSUER, createBuiltinProvider } from '../../src/providers/builtin.ts'
import { ProviderBusy } from '../../src/providers/provider.ts'
import { ANN, BOB, PASSWORD } from '../support/build-app.ts'
import { SECRET } from '../support/secret.ts'
import { testKeyring } from '../support/signing.ts'

const provider = createBuiltinProvider([ANN, { ...BOB, name: 'Bob' }], testKeyring())
const verify = (name: string, password = PASSWORD) => provider.verify({ name, password })

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
  expect(createBuiltinProvider(users, testKeyring()).current?.(account)).toBeUndefined()
  expect(
    createBuiltinProvider(users, testKeyring()).current?.({ ...account, subject: 'bob' }),
  ).toBeUndefined()
  const keyring = testKeyring('a new secret', [SECRET])
  expect(createBuiltinProvider([ANN], keyring).current?.(account)).toEqual(ANN_AS_SHE_IS)
  expect(
    createBuiltinProvider([ANN], testKeyring('a new secret')).current?.(account),
  ).toBeUndefined()
})

it('takes one at a time and lets sixteen wait', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => verify('ann')))
  const busy = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(outcomes.length - busy.length).toBe(17)
  for (const { reason } of busy) {
    expect(reason).toBeInstanceOf(ProviderBusy)
    expect(reason.retryAfterSeconds).toBeGreaterThan(0)
  }
  expect(await verify('ann')).toEqual(ANN_AS_SHE_IS)
})

it('takes as long for an unknown name as for a wrong password', async () => {
  const passwordHash = await hash(PASSWORD, { memoryCost: 16_384, timeCost: 2, parallelism: 1 })
  const slow = createBuiltinProvider([{ ...ANN, passwordHash }], testKeyring())
  const fastest = async (name: string) => {
    const times: number[] = []
    for (let i = 0; i < 5; i += 1) {
      const start = performance.now()
      await slow.verify({ name, password: 'wrong' })
      times.push(performance.now() - start)
    }
    return Math.min(...times)
  }
  const [known, unknown] = [await fastest('ann'), await fastest('zed')]
  expect(unknown).toBeGreaterThan(known / 4)
})

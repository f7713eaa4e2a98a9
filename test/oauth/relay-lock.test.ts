/** The lock of whoever renews tokens of the provider (decision K30). */
import { expect, it } from 'vitest'
import { createKeptTokens } from '../../src/oauth/relay/kept-tokens.ts'
import { createRenewal } from '../../src/oauth/relay/renewal.ts'
import { ProviderFailure, type TokenRelay } from '../../src/providers/provider.ts'
import { createRecords } from '../../src/records/records.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { GRANT } from '../support/grants.ts'
import { testKeyring } from '../support/signing.ts'

/** A process; `onPause` runs in place of each wait. */
function processOf(
  storage: ReturnType<typeof createMemoryStorage>,
  options: { renew?: TokenRelay['renew']; onPause?: () => Promise<void> } = {},
) {
  const records = createRecords(storage, { keyring: testKeyring() })
  const orphans: string[] = []
  const kept = createKeptTokens({
    records,
    keyring: testKeyring(),
    onOrphan: ({ refreshToken }) => void orphans.push(String(refreshToken)),
    now: () => 0,
  })
  const asked: string[] = []
  let pauses = 0
  const renew = createRenewal({
    provider: {
      async renew(refreshToken) {
        asked.push(refreshToken)
        const tokens = { accessToken: 'new', refreshToken: `${refreshToken}+` }
        return options.renew?.(refreshToken) ?? { kind: 'renewed', tokens }
      },
      revoke: async () => {},
    },
    kept,
    records,
    async pause() {
      pauses += 1
      await options.onPause?.()
    },
  })
  return { records, kept, renew, asked, orphans, pauses: () => pauses }
}

async function begun(options: Parameters<typeof processOf>[1] = {}) {
  let time = 0
  const storage = createMemoryStorage({ now: () => time })
  const one = processOf(storage, options)
  await one.kept.put(GRANT, { accessToken: 'old', refreshToken: 'r' })
  const advance = (milliseconds: number) => {
    time += milliseconds
  }
  return { storage, ...one, advance }
}

it('a process that finds it taken waits for the answer of the other one', async () => {
  const other = { settle: async () => {} }
  const one = await begun({ onPause: () => other.settle() })
  await one.records.relayedTokens.lock.take(GRANT.id, 'another process')
  const second = processOf(one.storage)
  other.settle = async () => {
    const before = await second.kept.find(GRANT)
    if (before) await second.kept.replace(GRANT, before, { accessToken: 'of the other' })
  }
  expect(await one.renew(GRANT)).toMatchObject({
    kind: 'renewed',
    kept: { tokens: { accessToken: 'of the other' } },
  })
  expect(one.asked).toEqual([])
})

it('a process that waits in vain says so after five seconds, and ends nothing', async () => {
  const one = await begun()
  await one.records.relayedTokens.lock.take(GRANT.id, 'another process')
  await expect(one.renew(GRANT)).rejects.toBeInstanceOf(ProviderFailure)
  expect(one.pauses()).toBe(20)
  expect(one.asked).toEqual([])
  expect(await one.kept.find(GRANT)).toMatchObject({ tokens: { refreshToken: 'r' } })
})

it('an end that the provider states to a process whose lock ran out ends nothing', async () => {
  const one = await begun({
    async renew() {
      const second = processOf(one.storage)
      const before = await second.kept.find(GRANT)
      if (before) await second.kept.replace(GRANT, before, { accessToken: 'of the other' })
      return { kind: 'ended', reason: 'invalid_grant' }
    },
  })
  expect(await one.renew(GRANT)).toMatchObject({
    kept: { tokens: { accessToken: 'of the other' } },
  })
})

it('tokens of a grant that ended while the provider was asked belong to nobody, and are to end', async () => {
  const one = await begun({
    async renew(refreshToken) {
      await one.records.grants.revoke(GRANT.id)
      return { kind: 'renewed', tokens: { accessToken: 'new', refreshToken } }
    },
  })
  expect(await one.renew(GRANT)).toEqual({ kind: 'none' })
  expect(one.orphans).toEqual(['r'])
})

it('tokens sealed for one grant are none of another', async () => {
  const one = await begun()
  const sealed = await one.records.relayedTokens.find(GRANT.id)
  const other = { ...GRANT, id: 'the-id-of-another-grant' }
  await one.records.relayedTokens.put(other.id, String(sealed), 60)
  expect(await one.kept.find(other)).toBeUndefined()
})

it('is given back, so that the next renewal need not wait', async () => {
  const one = await begun()
  await one.renew(GRANT)
  one.advance(1)
  expect(await one.records.relayedTokens.lock.take(GRANT.id, 'another process')).toBe(true)
  expect(one.asked).toEqual(['r'])
})

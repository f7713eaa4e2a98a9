/** The lock of whoever asks the provider about a person again (decisions K30 and 0066). */
import { expect, it } from 'vitest'
import { createPersonTokens } from '../../src/oauth/person-token.ts'
import { createRecheck } from '../../src/oauth/recheck.ts'
import { createRecords } from '../../src/records/records.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { GRANT } from '../support/grants.ts'
import { testKeyring } from '../support/signing.ts'

/** A process whose provider takes so many seconds; `meanwhile` runs before it answers. */
function processOf(seconds: number, meanwhile: (lock: Lock) => Promise<void> = async () => {}) {
  let time = 0
  const now = () => time
  const stored = createRecords(createMemoryStorage({ now }), { keyring: testKeyring() })
  const retriedFor: number[] = []
  const records: typeof stored = {
    ...stored,
    retryUntilStored(step, limit) {
      retriedFor.push(limit)
      return stored.retryUntilStored(step, limit)
    },
  }
  const resources = { byAudience: () => undefined }
  const recheck = createRecheck({
    records,
    rechecks: {
      needsHeld: false,
      async ask() {
        time += seconds * 1000
        await meanwhile(records.upstream.lock)
        return {}
      },
    },
    resources,
    keyring: testKeyring(),
    personTokens: createPersonTokens({ records, resources, keyring: testKeyring(), now }),
    providerId: 'oidc',
    now,
    elapsed: now,
    randomToken: () => 'one',
    wait: async () => {},
  })
  return { recheck: () => recheck(GRANT, () => {}), retriedFor }
}
type Lock = ReturnType<typeof createRecords>['upstream']['lock']

it('keeps another request from asking while a slow provider answers (discovery, and a token call twice)', async () => {
  const taken: boolean[] = []
  const one = processOf(29, async (lock) => void taken.push(await lock.take(GRANT.id, 'another')))
  await one.recheck()
  expect(taken).toEqual([false])
})

it('outlasts every retry of a write, so that no late answer overwrites the one of the next request', async () => {
  const one = processOf(12)
  await one.recheck()
  expect(one.retriedFor).toEqual([18])
})

/** The life of a signing key in the log (first-hour fl10): which key, and until when it is published. */
import { expect, it } from 'vitest'
import {
  loadSigningKeys,
  replaceSigningKeys,
  type SigningKeys,
} from '../../src/oauth/tokens/signing-keys.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createClock } from '../support/build-app.ts'
import { recordEvents } from '../support/recorded-events.ts'
import { testKeyring } from '../support/signing.ts'

const HOUR = 3600
const SECRETS = [
  'the first secret of these tests, long enough',
  'the second secret, long enough too',
]

async function start() {
  const now = createClock()
  const storage = createMemoryStorage({ now })
  const open = async (secret = SECRETS[0], previous: readonly string[] = []) => {
    const events = recordEvents()
    const deps = {
      algorithm: 'ES256',
      keyring: testKeyring(secret, previous),
      elapsed: now.elapsed,
      now,
      storage,
      events,
    } as const
    return { keys: await loadSigningKeys(deps), events, deps }
  }
  return { now, open, ...(await open()) }
}

const published = (keys: SigningKeys) => keys.jwks().keys.map(({ kid }) => kid)

/** Lets hours go by until the condition holds; 70 days at most. */
async function until(
  condition: () => boolean,
  { keys, now }: { keys: SigningKeys; now: ReturnType<typeof createClock> },
): Promise<void> {
  for (let hours = 0; !condition(); hours += 1) {
    if (hours > 70 * 24) throw new Error('it never happened')
    now.advance(HOUR)
    await keys.refresh()
  }
}

it('fl10: made, and until when it is published', async () => {
  const { keys, events, now } = await start()
  const { kid } = keys.current()
  expect(events.emitted).toEqual([
    {
      event: 'key-made',
      kid,
      algorithm: 'ES256',
      signsFrom: new Date(now()).toISOString(),
      publishedUntil: expect.stringMatching(/^2026-12-\d\dT00:00:00\.000Z$/),
    },
  ])
})

it('fl10: rotated: the next key, and until when the earlier one is published; then it is dropped', async () => {
  const started = await start()
  const { keys, events, now } = started
  const first = keys.current().kid
  await until(() => published(keys).length === 2, started)
  const [next] = published(keys)
  expect(events.emitted.at(-1)).toMatchObject({ event: 'key-made', kid: next })
  await until(() => keys.current().kid === next, started)
  const rotated = events.emitted.at(-1)
  expect(rotated).toEqual({
    event: 'key-signs',
    kid: next,
    algorithm: 'ES256',
    earlierKid: first,
    publishedUntil: expect.any(String),
  })
  await until(() => !published(keys).includes(first), started)
  expect(events.emitted.at(-1)).toEqual({ event: 'key-dropped', kid: first, algorithm: 'ES256' })
  // The event told the hour in which the key left.
  const told =
    rotated && 'publishedUntil' in rotated ? Date.parse(String(rotated.publishedUntil)) : 0
  expect(now() - told).toBeGreaterThanOrEqual(0)
  expect(now() - told).toBeLessThan(HOUR * 1000)
})

it('fl10: removed by an operator: another process drops it, and names the key that signs in its place', async () => {
  const { keys, events, deps, now } = await start()
  const first = keys.current().kid
  const { kid } = await replaceSigningKeys(deps)
  now.advance(60)
  await keys.refresh()
  expect(events.emitted.slice(1)).toEqual([
    { event: 'key-dropped', kid: first, algorithm: 'ES256' },
    expect.objectContaining({ event: 'key-made', kid }),
    { event: 'key-signs', kid, algorithm: 'ES256', earlierKid: first, publishedUntil: undefined },
  ])
})

it('fl10: the secret changed: each key that is sealed anew, and until when it is published', async () => {
  const { open, keys, events: before } = await start()
  const { events } = await open(SECRETS[1], [String(SECRETS[0])])
  const [made] = before.emitted
  expect(events.emitted).toEqual([
    {
      event: 'key-sealed-anew',
      kid: keys.current().kid,
      algorithm: 'ES256',
      publishedUntil: made && 'publishedUntil' in made ? made.publishedUntil : '',
    },
  ])
})

import { setImmediate as turn } from 'node:timers/promises'
import { decodeProtectedHeader } from 'jose'
import { describe, expect, it, vi } from 'vitest'
import {
  addSigningKey,
  loadSigningKeys,
  replaceSigningKeys,
  SigningKeyUnreadable,
} from '../../src/oauth/tokens/signing-keys.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'
import { buildTestApp, createClock } from '../support/build-app.ts'
import { check, obtainTokens, refresh } from '../support/oauth-client.ts'
import { keyDeps, testKeyring } from '../support/signing.ts'

const DAY = 86_400
const keyring = testKeyring('the root secret of these tests, long enough')

function place() {
  const now = createClock()
  return {
    algorithm: 'ES256',
    now,
    elapsed: now.elapsed,
    storage: createMemoryStorage({ now }),
    keyring,
  } as const
}
const kids = (keys: { jwks(): { keys: readonly { kid?: string }[] } }) =>
  keys.jwks().keys.map(({ kid }) => kid)

/** Moves to the last day of the period, an hour at a time, until the next key is announced. */
async function untilAnnounced(
  keys: Awaited<ReturnType<typeof loadSigningKeys>>,
  now: { advance(seconds: number): void },
): Promise<void> {
  for (let hours = 0; kids(keys).length < 2; hours++) {
    if (hours > 31 * 24) throw new Error('no key was announced within a period')
    now.advance(3600)
    await keys.refresh()
  }
}

it('makes one key at the first start and finds it again at the next', async () => {
  const deps = place()
  const first = await loadSigningKeys(deps)
  expect(kids(await loadSigningKeys(deps))).toEqual(kids(first))
})

it('publishes the next key a day before it signs', async () => {
  const deps = place()
  const keys = await loadSigningKeys(deps)
  const old = keys.current().kid
  await untilAnnounced(keys, deps.now)
  expect(keys.current().kid).toBe(old)
  deps.now.advance(DAY - 3600 - 1)
  expect(keys.current().kid).toBe(old)
  deps.now.advance(3601)
  expect(keys.current().kid).not.toBe(old)
})

it('keeps a key a day after it signed last, then forgets it', async () => {
  const deps = place()
  const keys = await loadSigningKeys(deps)
  const old = keys.current().kid
  await untilAnnounced(keys, deps.now)
  deps.now.advance(2 * DAY - 3600 - 10)
  await keys.refresh()
  expect(kids(keys)).toContain(old)
  deps.now.advance(3700)
  await keys.refresh()
  expect(kids(keys)).not.toContain(old)
})

it('lets two processes that start or rotate together agree on one key', async () => {
  const deps = place()
  const [a, b] = await Promise.all([loadSigningKeys(deps), loadSigningKeys(deps)])
  expect(a.current().kid).toBe(b.current().kid)
  await untilAnnounced(a, deps.now)
  await Promise.all([a.refresh(), b.refresh()])
  expect(kids(a)).toEqual(kids(b))
  expect(kids(a)).toHaveLength(2)
})

/** The id of a key that nobody has, in the form of our ids. */
const strange = (letters: string) => letters.repeat(43).slice(0, 43)

/** The same place, with a store that counts how often the keys were read from it, and fails or waits when told to. */
function watchedPlace() {
  const deps = place()
  const watched = {
    reads: 0,
    isAway: false,
    /** Ends before the keys of a read are handed out. */
    hold: Promise.resolve(),
  }
  const storage: Storage = {
    ...deps.storage,
    async *scan(prefix) {
      watched.reads += 1
      if (watched.isAway) throw new StorageUnavailable(new Error('away'))
      const found = []
      for await (const entry of deps.storage.scan(prefix)) found.push(entry)
      await watched.hold
      yield* found
    },
  }
  return { deps, watched, mine: { ...deps, storage } }
}

it('finds a key of another process at once, also while many ask', async () => {
  const { deps, watched, mine } = watchedPlace()
  const keys = await loadSigningKeys(mine)
  const kid = await addSigningKey(deps.now(), deps)
  watched.reads = 0
  const found = await Promise.all(Array.from(Array(8), () => keys.find(kid)))
  expect(found.map((key) => key?.kid)).toEqual(Array(8).fill(kid))
  expect(watched.reads).toBe(1)
})

it('finds a key that was stored while the keys were being read', async () => {
  const { deps, watched, mine } = watchedPlace()
  const keys = await loadSigningKeys(mine)
  let release = () => {}
  watched.hold = new Promise((resolve) => {
    release = resolve
  })
  const refreshed = keys.refresh()
  const kid = await addSigningKey(deps.now(), deps)
  const found = keys.find(kid)
  release()
  await refreshed
  expect(await found).toMatchObject({ kid })
})

it('asks the store for keys that strangers made up once a second, and calls none bad meanwhile', async () => {
  const { deps, watched, mine } = watchedPlace()
  let rest = () => {}
  const pause = () =>
    new Promise<void>((resolve) => {
      rest = resolve
    })
  const keys = await loadSigningKeys({ ...mine, pause })
  watched.reads = 0
  expect(await keys.find(strange('a'))).toBeUndefined()
  expect(keys.find(strange('a'))).toBeUndefined()
  expect(keys.find('unlike a thumbprint')).toBeUndefined()
  const added = await addSigningKey(deps.now(), deps)
  const asked = Promise.all([strange('b'), strange('c'), added].map(keys.find))
  await turn()
  expect(watched.reads).toBe(1)
  rest()
  expect(await asked).toMatchObject([undefined, undefined, { kid: added }])
  expect(watched.reads).toBe(2)
})

it('lets no more than a hundred wait for a look at keys that strangers made up', async () => {
  const { watched, mine } = watchedPlace()
  let rest = () => {}
  const pause = () =>
    new Promise<void>((resolve) => {
      rest = resolve
    })
  const keys = await loadSigningKeys({ ...mine, pause })
  expect(await keys.find(strange('a'))).toBeUndefined()
  watched.reads = 0
  const asked = Array.from(Array(150), (_, index) => keys.find(strange(`${index}-`)))
  const late = await Promise.allSettled(asked.slice(100))
  for (const outcome of late) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(StorageUnavailable) })
  }
  rest()
  expect(await Promise.all(asked.slice(0, 100))).toEqual(Array(100).fill(undefined))
  expect(watched.reads).toBe(1)
})

it('asks a store that is away once a second, and finds what it had to wait for when it is back', async () => {
  const { deps, watched, mine } = watchedPlace()
  const keys = await loadSigningKeys(mine)
  const kid = await addSigningKey(deps.now(), deps)
  watched.reads = 0
  watched.isAway = true
  for (const asked of [kid, kid, strange('a')]) {
    await expect(keys.find(asked)).rejects.toThrow(StorageUnavailable)
  }
  await Promise.allSettled([kid, strange('a'), kid].map(keys.find))
  expect(watched.reads).toBe(1)
  deps.now.advance(1)
  await Promise.allSettled([kid, strange('a'), kid].map(keys.find))
  expect(watched.reads).toBe(2)
  watched.isAway = false
  deps.now.advance(1)
  expect(await keys.find(kid)).toMatchObject({ kid })
})

it('finds a key of another process also while the next one cannot be stored', async () => {
  const { deps, mine } = watchedPlace()
  const create = () => Promise.reject(new StorageUnavailable(new Error('read-only')))
  const keys = await loadSigningKeys(deps)
  const full = await loadSigningKeys({ ...mine, storage: { ...mine.storage, create } })
  const added = await addSigningKey(deps.now(), deps)
  await untilAnnounced(keys, deps.now)
  expect(await full.find(added)).toMatchObject({ kid: added })
})

it('signs with a key that was added out of turn, from its time on', async () => {
  const deps = place()
  const keys = await loadSigningKeys(deps)
  const kid = await addSigningKey(deps.now() + 600_000, deps)
  await keys.refresh()
  expect(keys.current().kid).not.toBe(kid)
  deps.now.advance(600)
  expect(keys.current().kid).toBe(kid)
})

it('gives its keys back to a store that was emptied, and every process goes on with them', async () => {
  const deps = place()
  const [a, b] = [await loadSigningKeys(deps), await loadSigningKeys(deps)]
  const before = kids(a)
  for await (const [name] of deps.storage.scan('')) await deps.storage.delete(name)
  await Promise.all([a.refresh(), b.refresh()])
  expect([kids(a), kids(b)]).toEqual([before, before])
  expect(a.generation()).toBe(0)
  expect(kids(await loadSigningKeys(deps))).toEqual(before)
})

it('goes on with its keys while a store that was emptied takes no writes', async () => {
  const deps = place()
  let isFull = false
  const create: Storage['create'] = (key, value, ttlSeconds) => {
    if (isFull) return Promise.reject(new StorageUnavailable(new Error('full')))
    return deps.storage.create(key, value, ttlSeconds)
  }
  const keys = await loadSigningKeys({ ...deps, storage: { ...deps.storage, create } })
  const signing = keys.current().kid
  for await (const [name] of deps.storage.scan('')) await deps.storage.delete(name)
  isFull = true
  await expect(keys.refresh()).rejects.toThrow(StorageUnavailable)
  expect(keys.current().kid).toBe(signing)
})

it('removes all other keys when one was compromised', async () => {
  const deps = place()
  const keys = await loadSigningKeys(deps)
  const replaced = await replaceSigningKeys(deps)
  expect(replaced).toMatchObject({ isOurs: true, removed: 1 })
  await keys.refresh()
  expect(kids(keys)).toEqual([replaced.kid])
})

it('leaves neither of two that replace all keys at once without a key, and both know which key signs', async () => {
  const deps = place()
  const [old] = kids(await loadSigningKeys(deps))
  let added = 0
  let release = () => {}
  const both = new Promise<void>((resolve) => {
    release = resolve
  })
  const create: Storage['create'] = async (...args) => {
    const made = await deps.storage.create(...args)
    added += 1
    if (added === 2) release()
    await both
    return made
  }
  const mine = { ...deps, storage: { ...deps.storage, create } }
  const replaced = await Promise.all([replaceSigningKeys(mine), replaceSigningKeys(mine)])
  const left = await loadSigningKeys(deps)
  expect(kids(left)).not.toContain(old)
  expect(replaced.map(({ kid }) => kid)).toEqual(Array(2).fill(left.current().kid))
  expect(replaced.map(({ isOurs }) => isOurs).sort()).toEqual([false, true])
})

it('names the key of another run that removed the one it had just added', async () => {
  const deps = place()
  await loadSigningKeys(deps)
  const create: Storage['create'] = async (...args) => {
    const made = await deps.storage.create(...args)
    deps.now.advance(1)
    other = await replaceSigningKeys(deps)
    return made
  }
  let other: Awaited<ReturnType<typeof replaceSigningKeys>> | undefined
  const replaced = await replaceSigningKeys({ ...deps, storage: { ...deps.storage, create } })
  expect(other).toMatchObject({ isOurs: true, removed: 2 })
  expect(replaced).toMatchObject({ kid: other?.kid, isOurs: false })
  expect(kids(await loadSigningKeys(deps))).toEqual([other?.kid])
})

describe('a compromised key is not brought back', () => {
  async function compromised() {
    const { deps, watched, mine } = watchedPlace()
    const keys = await loadSigningKeys(mine)
    const stored = await readAll(deps.storage)
    const { kid } = await replaceSigningKeys(deps)
    return { deps, watched, mine, keys, stored, kid }
  }
  async function readAll(storage: Storage) {
    const found = []
    for await (const entry of storage.scan('')) found.push(entry)
    return found
  }

  it('by a process that read while the keys were replaced, and saw none', async () => {
    const deps = place()
    let isTorn = false
    const scan: Storage['scan'] = async function* (prefix) {
      const sees = !isTorn
      isTorn = false
      if (sees) yield* deps.storage.scan(prefix)
    }
    const keys = await loadSigningKeys({ ...deps, storage: { ...deps.storage, scan } })
    const next = await replaceSigningKeys(deps)
    isTorn = true
    await keys.refresh()
    expect(kids(keys)).toEqual([next.kid])
    expect(await readAll(deps.storage)).toHaveLength(1)
  })

  it('by a store that lost its last writes, to a process that had heard of it', async () => {
    const { deps, keys, stored, kid } = await compromised()
    await keys.refresh()
    for (const [name] of await readAll(deps.storage)) await deps.storage.delete(name)
    for (const [name, value] of stored) await deps.storage.set(name, value, 'forever')
    await keys.refresh()
    expect(kids(keys)).toEqual([kid])
    expect(keys.generation()).toBe(1)
    // A key that is removed from the store expires at once.
    deps.now.advance(0.001)
    expect(kids(await loadSigningKeys(deps))).toEqual([kid])
  })

  it('by a process that had not heard of it, to a store that was emptied', async () => {
    const { deps, mine } = await compromised()
    const unaware = await loadSigningKeys(deps)
    const keys = await loadSigningKeys(mine)
    const { kid } = await replaceSigningKeys(deps)
    await keys.refresh()
    for (const [name] of await readAll(deps.storage)) await deps.storage.delete(name)
    await unaware.refresh()
    await keys.refresh()
    deps.now.advance(0.001)
    await unaware.refresh()
    expect([kids(keys), kids(unaware)]).toEqual([[kid], [kid]])
  })

  it('and is refused at once: nobody has to look for it', async () => {
    const { watched, keys, stored } = await compromised()
    const old = kids(keys)[0] ?? ''
    expect(stored).toHaveLength(1)
    await keys.refresh()
    watched.reads = 0
    expect(keys.find(old)).toBeUndefined()
    expect(watched.reads).toBe(0)
  })
})

it('seals keys anew after a change of the secret, so that the old one can be forgotten', async () => {
  const deps = place()
  const before = kids(await loadSigningKeys(deps))
  const [oldSecret, newSecret] = ['the first secret, long enough for it', 'the second secret, also']
  const old = { ...deps, storage: createMemoryStorage({ now: deps.now }) }
  const made = kids(await loadSigningKeys({ ...old, keyring: testKeyring(oldSecret) }))
  expect(made).not.toEqual(before)
  expect(
    kids(await loadSigningKeys({ ...old, keyring: testKeyring(newSecret, [oldSecret]) })),
  ).toEqual(made)
  expect(kids(await loadSigningKeys({ ...old, keyring: testKeyring(newSecret) }))).toEqual(made)
  await expect(loadSigningKeys({ ...old, keyring: testKeyring(oldSecret) })).rejects.toThrow(
    SigningKeyUnreadable,
  )
})

it('accepts tokens of the old key after the new one signs, and registrations of the old secret', async () => {
  const secret = 'a first root secret, long enough for it'
  const first = await buildTestApp(
    {},
    { secret, storage: createMemoryStorage({ now: createClock() }) },
  )
  const { tokens, client } = await obtainTokens(first.app)
  first.clock.advance(1)
  await addSigningKey(
    first.clock(),
    keyDeps({ storage: first.storage, now: first.clock }, { secret }),
  )
  const second = await buildTestApp(
    { secretPrevious: [secret] },
    { clock: first.clock, storage: first.storage, secret: 'a second root secret, long enough' },
  )
  const old = await check(second.app, { authorization: `Bearer ${tokens.access_token}` })
  expect(old.statusCode).toBe(200)
  const refreshed = await refresh(second.app, client, tokens.refresh_token)
  expect(refreshed.statusCode).toBe(200)
  expect(decodeProtectedHeader(refreshed.json().access_token).kid).not.toBe(
    decodeProtectedHeader(tokens.access_token).kid,
  )
})

it('ends tokens that were verified before when their key was compromised', async () => {
  const secret = 'a root secret whose key is lost, long enough'
  const { app, clock, storage } = await buildTestApp(
    {},
    { secret, storage: createMemoryStorage({ now: createClock() }) },
  )
  const deps = keyDeps({ storage, now: clock }, { secret })
  const { tokens } = await obtainTokens(app)
  const ask = () => check(app, { authorization: `Bearer ${tokens.access_token}` })
  expect((await ask()).statusCode).toBe(200)
  clock.advance(1)
  await replaceSigningKeys(deps)
  // Each process looks for keys every minute by itself: here a token of the new key makes it look.
  const other = await buildTestApp({}, { secret, clock, storage })
  const { tokens: next } = await obtainTokens(other.app)
  expect((await check(app, { authorization: `Bearer ${next.access_token}` })).statusCode).toBe(200)
  expect((await ask()).statusCode).toBe(401)
})

it('keeps a key as long as the longest session that it signed', async () => {
  const deps = { ...place(), retention: 30 * DAY }
  const keys = await loadSigningKeys(deps)
  const old = keys.current().kid
  await untilAnnounced(keys, deps.now)
  deps.now.advance(DAY - 3600)
  deps.now.advance(30 * DAY - 10)
  await keys.refresh()
  expect(keys.find(old)).toBeDefined()
  deps.now.advance(3700)
  await keys.refresh()
  expect(await keys.find(old)).toBeUndefined()
})

it('keeps keys for longer once sessions live longer, and never shortens that', async () => {
  const deps = place()
  const keys = await loadSigningKeys(deps)
  const old = keys.current().kid
  await loadSigningKeys({ ...deps, retention: 10 * DAY })
  await loadSigningKeys(deps)
  await untilAnnounced(keys, deps.now)
  deps.now.advance(9 * DAY)
  await keys.refresh()
  expect(keys.find(old)).toBeDefined()
  deps.now.advance(3 * DAY)
  await keys.refresh()
  expect(await keys.find(old)).toBeUndefined()
})

it('ed31: a slow moment of the store does not lengthen later waits, and no wait is longer than two seconds', async () => {
  const { deps, watched, mine } = watchedPlace()
  const pauses: number[] = []
  const pause = async (milliseconds: number) => void pauses.push(milliseconds)
  const keys = await loadSigningKeys({ ...mine, pause })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  let release = () => {}
  watched.hold = new Promise((resolve) => {
    release = resolve
  })
  const asked = Promise.allSettled([keys.find(strange('a')), keys.find(strange('b'))])
  await vi.advanceTimersByTimeAsync(2000)
  for (const outcome of await asked) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(StorageUnavailable) })
  }
  await vi.advanceTimersByTimeAsync(8000)
  watched.hold = Promise.resolve()
  release()
  vi.useRealTimers()
  await expect.poll(() => pauses).toEqual([1000])
  const kid = await addSigningKey(deps.now(), deps)
  expect(await keys.find(kid)).toMatchObject({ kid })
})

it('ed34: a key made under a clock that ran ahead does not keep the next ones from being made', async () => {
  const deps = place()
  deps.now.set(60 * DAY)
  const [ahead] = kids(await loadSigningKeys(deps))
  deps.now.set(-60 * DAY)
  const keys = await loadSigningKeys(deps)
  const signing = keys.current().kid
  expect(signing).not.toBe(ahead)
  deps.now.advance(31 * DAY)
  await keys.refresh()
  expect(keys.current().kid).not.toBe(signing)
  expect(keys.current().kid).not.toBe(ahead)
})

import { decodeProtectedHeader } from 'jose'
import { expect, it } from 'vitest'
import { createKeyring } from '../../src/crypto.ts'
import {
  addSigningKey,
  loadSigningKeys,
  removeOtherSigningKeys,
  SigningKeyUnreadable,
} from '../../src/oauth/keys.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'
import { buildTestApp, createClock } from '../support/build-app.ts'
import { check, obtainTokens, refresh } from '../support/oauth-client.ts'

const DAY = 86_400
const keyring = createKeyring('the root secret of these tests, long enough')

function place() {
  const now = createClock()
  return { now, storage: createMemoryStorage({ now }), keyring }
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

it('finds a key of another process, asking the store at most once in five seconds', async () => {
  const deps = place()
  const keys = await loadSigningKeys(deps)
  const kid = await addSigningKey(deps.now(), deps)
  expect(keys.find(kid)).toBeUndefined()
  deps.now.advance(5)
  expect(await keys.find(kid)).toMatchObject({ kid })
  expect(keys.find('unknown')).toBeUndefined()
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
  const kid = await addSigningKey(deps.now(), deps)
  expect(await removeOtherSigningKeys(kid, deps)).toBe(1)
  await keys.refresh()
  expect(kids(keys)).toEqual([kid])
})

it('seals keys anew after a change of the secret, so that the old one can be forgotten', async () => {
  const deps = place()
  const before = kids(await loadSigningKeys(deps))
  const [oldSecret, newSecret] = ['the first secret, long enough for it', 'the second secret, also']
  const old = { ...deps, storage: createMemoryStorage({ now: deps.now }) }
  const made = kids(await loadSigningKeys({ ...old, keyring: createKeyring(oldSecret) }))
  expect(made).not.toEqual(before)
  expect(
    kids(await loadSigningKeys({ ...old, keyring: createKeyring(newSecret, [oldSecret]) })),
  ).toEqual(made)
  expect(kids(await loadSigningKeys({ ...old, keyring: createKeyring(newSecret) }))).toEqual(made)
  await expect(loadSigningKeys({ ...old, keyring: createKeyring(oldSecret) })).rejects.toThrow(
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
  await addSigningKey(first.clock(), {
    storage: first.storage,
    keyring: createKeyring(secret),
    now: first.clock,
  })
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
  const deps = { storage, keyring: createKeyring(secret), now: clock }
  const { tokens } = await obtainTokens(app)
  const ask = () => check(app, { authorization: `Bearer ${tokens.access_token}` })
  expect((await ask()).statusCode).toBe(200)
  clock.advance(1)
  await removeOtherSigningKeys(await addSigningKey(clock(), deps), deps)
  clock.advance(60)
  // What each process does by itself every minute: here an unknown key makes it look.
  const others = await loadSigningKeys(deps)
  expect(others.generation()).toBe(0)
  await check(app, {
    authorization: 'Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Im4ifQ.e30.x',
  })
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

import { hash } from '@node-rs/argon2'
import { beforeEach, describe, expect, it } from 'vitest'
import { createKeyring } from '../../src/crypto.ts'
import { createLockout } from '../../src/login/lockout.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import {
  ANN,
  BOB,
  buildTestApp,
  createClock,
  PASSWORD,
  type TestApp,
} from '../support/build-app.ts'
import { authorizeUrl, consentTo, register, signIn } from '../support/oauth-client.ts'
import { typeIn } from '../support/steps.ts'
import { storedRecords } from '../support/stored.ts'

type Page = Awaited<ReturnType<Browser['get']>>

let gateway: TestApp
let browser: Browser
let page: Page
beforeEach(async () => {
  gateway = await buildTestApp()
  browser = createBrowser(gateway.app)
  page = await openLogin(browser)
})

async function openLogin(who: Browser): Promise<Page> {
  return consentTo(who, authorizeUrl(await register(gateway.app)))
}

const guess = (name = 'ann', password = 'wrong') => typeIn(browser, page, { name, password })

async function statuses(times: number, name?: string): Promise<number[]> {
  const seen: number[] = []
  for (let i = 0; i < times; i += 1) seen.push((await guess(name, `wrong ${i}`)).statusCode)
  return seen
}

const secondsToWait = ({ body }: Page) => Number(/Wait (\d+) seconds?/.exec(body)?.[1])

it('allows five mistakes, then says how long to wait', async () => {
  expect(await statuses(6)).toEqual([401, 401, 401, 401, 401, 429])
  const locked = await guess()
  expect(secondsToWait(locked)).toBe(1)
  expect(locked.body).toContain('too many wrong attempts')
})

it('doubles the wait with every further mistake, up to a minute, never for ever', async () => {
  await statuses(5)
  const waits: number[] = []
  for (let i = 0; i < 9; i += 1) {
    waits.push(secondsToWait(await guess()))
    gateway.clock.advance(waits.at(-1) ?? 0)
    expect((await guess('ann', `again ${i}`)).statusCode).toBe(401)
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  gateway.clock.advance(60)
  expect((await guess('ann', PASSWORD)).statusCode).toBe(303)
})

it('refuses the right password too while it lasts, and is not lengthened by trying', async () => {
  await statuses(5)
  for (let i = 0; i < 9; i += 1) {
    expect((await guess('ann', PASSWORD)).statusCode).toBe(429)
    gateway.clock.advance(0.1)
  }
  gateway.clock.advance(0.1)
  expect((await guess('ann', PASSWORD)).statusCode).toBe(303)
})

it('begins anew after a success', async () => {
  expect(await statuses(4)).toEqual([401, 401, 401, 401])
  await signIn(createBrowser(gateway.app), authorizeUrl(await register(gateway.app)))
  expect(await statuses(6)).toEqual([401, 401, 401, 401, 401, 429])
})

it('lets 50 parallel guesses try five passwords', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => guess('ann', `guess ${i}`)),
  )
  const tried = answers.filter(({ statusCode }) => statusCode === 401)
  const locked = answers.filter(({ statusCode }) => statusCode === 429)
  expect([tried.length, locked.length]).toEqual([5, 45])
})

it('locks an unknown name exactly like a known one', async () => {
  const known = await statuses(7, 'ann')
  expect(await statuses(7, 'zed')).toEqual(known)
  expect(secondsToWait(await guess('zed'))).toBe(secondsToWait(await guess('ann')))
})

it('counts every spelling of a name together', async () => {
  for (const name of ['ann', 'ANN', ' ann', 'Ann', 'aNN ']) {
    expect((await guess(name)).statusCode).toBe(401)
  }
  expect((await guess('ann')).statusCode).toBe(429)
})

it('leaves other names alone', async () => {
  await statuses(6, 'ann')
  expect((await guess('bob')).statusCode).toBe(401)
})

it('lasts through a restart', async () => {
  await statuses(5)
  gateway = await gateway.restart()
  const after = createBrowser(gateway.app)
  const login = await openLogin(after)
  expect((await typeIn(after, login)).statusCode).toBe(429)
})

it('keeps counters in numbered slots, without names', async () => {
  await statuses(2, 'zed@secret.example')
  const records = Object.entries(await storedRecords(gateway.storage))
  const counters = records.filter(([key]) => key.startsWith('lockout:'))
  expect(counters).toHaveLength(1)
  const [key, value] = counters[0] ?? []
  expect(key).toMatch(/^lockout:name:\d{1,5}$/)
  expect(Number(key?.split(':')[2])).toBeLessThan(65_536)
  expect(value).toEqual({ failures: 2, lockedUntil: expect.any(Number) })
})

describe('a browser that has signed in as that name before', () => {
  beforeEach(async () => {
    await signIn(browser, authorizeUrl(await register(gateway.app)))
    page = await openLogin(browser)
  })
  async function lockFromElsewhere(): Promise<void> {
    const attacker = createBrowser(gateway.app)
    const login = await openLogin(attacker)
    for (let i = 0; i < 5; i += 1) await typeIn(attacker, login, { password: `wrong ${i}` })
    expect((await typeIn(attacker, login)).statusCode).toBe(429)
  }

  it("is not locked by others' mistakes", async () => {
    await lockFromElsewhere()
    expect((await guess('ann', PASSWORD)).statusCode).toBe(303)
  })

  it('has a count of its own, which locks nobody else', async () => {
    expect(await statuses(6)).toEqual([401, 401, 401, 401, 401, 429])
    const other = createBrowser(gateway.app)
    expect((await typeIn(other, await openLogin(other))).statusCode).toBe(303)
  })

  it('is locked with the rest for any other name', async () => {
    const attacker = createBrowser(gateway.app)
    const login = await openLogin(attacker)
    for (let i = 0; i < 5; i += 1) await typeIn(attacker, login, { name: 'bob', password: `${i}` })
    expect((await guess('bob', PASSWORD)).statusCode).toBe(429)
  })
})

it('answers a rush with 503 and Retry-After, and counts no attempt that was not made', async () => {
  // 32 MiB an attempt is slow enough that the queue fills.
  const passwordHash = await hash(PASSWORD, { memoryCost: 32_768, timeCost: 2, parallelism: 1 })
  gateway = await buildTestApp({ users: [{ ...ANN, passwordHash }, BOB] })
  browser = createBrowser(gateway.app)
  page = await openLogin(browser)
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => guess(`person ${i}`)))
  const busy = answers.filter(({ statusCode }) => statusCode === 503)
  expect(busy.length).toBeGreaterThan(5)
  for (const answer of busy) {
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/)
    expect(answer.body).toContain('type="password"')
    expect(answer.body).not.toContain('do not match')
  }
  const tried = answers.filter(({ statusCode }) => statusCode === 401)
  expect(tried.length + busy.length).toBe(40)
  const records = Object.entries(await storedRecords(gateway.storage))
  const counted = records.filter(
    ([key, value]) => key.startsWith('lockout:') && JSON.stringify(value).includes('"failures":1'),
  )
  expect(counted).toHaveLength(tried.length)
})

describe('the counter', () => {
  const clock = createClock()
  const lockout = () =>
    createLockout({
      storage: createMemoryStorage({ now: clock }),
      keyring: createKeyring('secret', { issuer: 'https://auth.example.com' }),
      now: clock,
    })
  const who = { name: 'ann', device: undefined }

  it('takes a withdrawn attempt back, lock and all', async () => {
    const counter = lockout()
    for (let i = 0; i < 20; i += 1) {
      expect(await counter.begin(who)).toBe(0)
      await counter.withdraw(who)
    }
    expect(await counter.begin(who)).toBe(0)
  })

  it('forgets an hour after the last mistake', async () => {
    const counter = lockout()
    for (let i = 0; i < 5; i += 1) await counter.begin(who)
    clock.advance(3600)
    for (let i = 0; i < 5; i += 1) expect(await counter.begin(who)).toBe(0)
    expect(await counter.begin(who)).toBe(1)
  })
})

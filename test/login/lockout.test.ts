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
  return consentTo(who, authorizeUrl(await register(gateway.app), { prompt: 'login' }))
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

it('lets 50 parallel guesses try at most five passwords', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => guess('ann', `guess ${i}`)),
  )
  const tried = answers.filter(({ statusCode }) => statusCode === 401)
  const refused = answers.filter(({ statusCode }) => statusCode === 429 || statusCode === 503)
  expect(tried.length).toBeGreaterThan(0)
  expect(tried.length).toBeLessThanOrEqual(5)
  expect(tried.length + refused.length).toBe(50)
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
  expect(counters.map(([key]) => key.replace(/\d{1,5}$/, '')).sort()).toEqual([
    'lockout:name:',
    'lockout:pair:',
  ])
  for (const [key, value] of counters) {
    expect(Number(key.split(':')[2])).toBeLessThan(65_536)
    const counter = { failures: 2, lockedUntil: expect.any(Number), triedAt: expect.any(Number) }
    expect(value).toEqual(counter)
  }
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
    ([key, value]) =>
      key.startsWith('lockout:name:') && JSON.stringify(value).includes('"failures":1'),
  )
  expect(counted).toHaveLength(tried.length)
})

describe('at4, T38: somebody keeps guessing the name of ann', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const tryFrom = (address: string, password: string) =>
    typeIn(browser, page, { password }, from(address))

  /** Two guesses a second for so long, from two addresses in turn. */
  async function guessFor(seconds: number): Promise<void> {
    for (let i = 0; i < seconds * 2; i += 1) {
      await tryFrom(`198.51.100.${i % 2}`, `guess ${i} ${gateway.clock()}`)
      gateway.clock.advance(0.5)
    }
  }

  it('at4, T38: never keeps her out at an address that has not failed', async () => {
    gateway = await buildTestApp({ rateLimit: 0 })
    browser = createBrowser(gateway.app)
    page = await openLogin(browser)
    for (let i = 0; i < 8; i += 1) {
      await guessFor(20)
      expect((await tryFrom('198.51.100.1', PASSWORD)).statusCode).toBe(429)
      const ann = createBrowser(gateway.app)
      const from = { 'x-forwarded-for': `192.0.2.${i}` }
      expect((await typeIn(ann, await openLogin(ann), {}, from)).statusCode).toBe(303)
    }
  })

  it('at4: leaves her a try a minute after a mistake of her own, and says when', async () => {
    gateway = await buildTestApp({ rateLimit: 0 })
    browser = createBrowser(gateway.app)
    page = await openLogin(browser)
    await guessFor(120)
    expect((await tryFrom('192.0.2.1', 'mistyped')).statusCode).toBe(401)
    const denied = await tryFrom('192.0.2.1', PASSWORD)
    expect(denied.statusCode).toBe(429)
    expect(secondsToWait(denied)).toBeLessThanOrEqual(60)
    expect(denied.body).toContain('No wait is longer than a minute.')
    await guessFor(secondsToWait(denied))
    expect((await tryFrom('192.0.2.1', PASSWORD)).statusCode).toBe(303)
  })

  it('lets a flood from one /48 guess no more often than one address', async () => {
    gateway = await buildTestApp({ rateLimit: 0 })
    browser = createBrowser(gateway.app)
    page = await openLogin(browser)
    const seen: number[] = []
    for (let i = 0; i < 8; i += 1) {
      seen.push((await tryFrom(`2001:db8:1:${i}::1`, `guess ${i}`)).statusCode)
    }
    expect(seen).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
  })

  it('lets many addresses try once a minute each, five times an hour at most', async () => {
    gateway = await buildTestApp({ rateLimit: 0 })
    browser = createBrowser(gateway.app)
    page = await openLogin(browser)
    let tried = 0
    for (let minute = 0; minute < 20; minute += 1) {
      for (let i = 0; i < 10; i += 1) {
        const answer = await tryFrom(`192.0.2.${i}`, `guess ${minute} ${i}`)
        if (answer.statusCode === 401) tried += 1
      }
      gateway.clock.advance(30)
    }
    // Five free tries of each address, and one a minute for the name.
    expect(tried).toBeLessThanOrEqual(10 * 5 + 10)
  })
})

it('ed34: a lock that a clock made which ran a day ahead is over once the clock is right', async () => {
  gateway.clock.advance(86_400)
  await statuses(6)
  gateway.clock.advance(-86_400)
  page = await openLogin(browser)
  expect((await guess('ann', PASSWORD)).statusCode).toBe(303)
})

describe('the counter', () => {
  const clock = createClock()
  const lockout = () =>
    createLockout({
      storage: createMemoryStorage({ now: clock }),
      keyring: createKeyring('secret', { issuer: 'https://auth.example.com' }),
      now: clock,
    })
  const who = { name: 'ann', block: '192.0.2.1' }

  async function tryOnce(counter: ReturnType<typeof lockout>): Promise<number> {
    const begun = await counter.begin(who)
    return begun.kind === 'locked' ? begun.seconds : 0
  }

  it('takes a withdrawn attempt back, lock and all', async () => {
    const counter = lockout()
    for (let i = 0; i < 20; i += 1) {
      const begun = await counter.begin(who)
      if (begun.kind === 'locked') throw new Error('locked')
      await begun.withdraw()
    }
    expect(await tryOnce(counter)).toBe(0)
  })

  it('forgets an hour after the last mistake', async () => {
    const counter = lockout()
    for (let i = 0; i < 5; i += 1) await counter.begin(who)
    clock.advance(3600)
    for (let i = 0; i < 5; i += 1) expect(await tryOnce(counter)).toBe(0)
    expect(await tryOnce(counter)).toBe(1)
  })
})

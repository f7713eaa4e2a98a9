/** The built-in login while strangers keep it busy (attacks at4, threat T38). */
import { hash } from '@node-rs/argon2'
import { expect, it } from 'vitest'
import { type Browser, createBrowser } from '../support/browser.ts'
import { ANN, BOB, buildTestApp, PASSWORD, type TestApp } from '../support/build-app.ts'
import { authorizeUrl, consentTo, register, signIn } from '../support/oauth-client.ts'
import { typeIn } from '../support/steps.ts'

/** Slow enough that the queue is never empty. */
const passwordHash = await hash(PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 })

const slowGateway = () => buildTestApp({ users: [{ ...ANN, passwordHash }, BOB], rateLimit: 0 })

const openLogin = async (gateway: TestApp, browser: Browser) =>
  consentTo(browser, authorizeUrl(await register(gateway.app), { prompt: 'login' }))

/** How many of those who were refused come again at each turn of another: more than there are places. */
const COME_AGAIN = 4

/**
 * Keeps wrong sign-ins with made-up names under way from each address, two at once, until it is stopped. Some of those
 * who were refused come again whenever a place may be free.
 */
async function flood(gateway: TestApp, addresses: readonly string[]): Promise<() => Promise<void>> {
  const browser = createBrowser(gateway.app)
  const page = await openLogin(gateway, browser)
  const refused: (() => void)[] = []
  let isOver = false
  let tried = 0
  let begin = () => {}
  const isBusy = new Promise<void>((resolve) => {
    begin = resolve
  })
  async function keepTrying(address: string, name: string): Promise<void> {
    for (let i = 0; !isOver; i += 1) {
      const guess = { name: `${name} ${i}`, password: 'wrong' }
      const answer = await typeIn(browser, page, guess, { 'x-forwarded-for': address })
      if (answer.statusCode !== 401) {
        if (!isOver) await new Promise<void>((resolve) => refused.push(resolve))
        continue
      }
      tried += 1
      if (tried > addresses.length / 2) begin()
      for (const again of refused.splice(0, COME_AGAIN)) again()
    }
  }
  const running = addresses.flatMap((address) =>
    ['a', 'b'].map((name) => keepTrying(address, `${name} ${address}`)),
  )
  await isBusy
  return async () => {
    isOver = true
    for (const again of refused.splice(0)) again()
    await Promise.all(running)
  }
}

const FLOODS: readonly (readonly [string, readonly string[]])[] = [
  ['40 IPv4 addresses', Array.from({ length: 40 }, (_, i) => `198.51.100.${i}`)],
  ['40 networks of one /48', Array.from({ length: 40 }, (_, i) => `2001:db8:1:${i}::1`)],
  ['a 6to4 site', Array.from({ length: 40 }, (_, i) => `2002:c633:6401:${i}::1`)],
]

it.each(FLOODS)(
  'at4, T38: lets the right password in within three tries while %s flood the login',
  async (_, addresses) => {
    const gateway = await slowGateway()
    const stop = await flood(gateway, addresses)
    for (let person = 0; person < 4; person += 1) {
      const browser = createBrowser(gateway.app)
      const page = await openLogin(gateway, browser)
      const statuses: number[] = []
      for (let i = 0; i < 3 && !statuses.includes(303); i += 1) {
        const from = { 'x-forwarded-for': `192.0.2.${person}` }
        statuses.push((await typeIn(browser, page, {}, from)).statusCode)
      }
      expect(statuses).toContain(303)
    }
    await stop()
  },
)

it('at4: lets a browser in at once that signed in before, from a flooding address', async () => {
  const gateway = await slowGateway()
  const browser = createBrowser(gateway.app)
  await signIn(browser, authorizeUrl(await register(gateway.app)))
  const stop = await flood(gateway, FLOODS[0]?.[1] ?? [])
  for (let i = 0; i < 4; i += 1) {
    const page = await openLogin(gateway, browser)
    const answer = await typeIn(browser, page, {}, { 'x-forwarded-for': '198.51.100.1' })
    expect(answer.statusCode).toBe(303)
  }
  await stop()
})

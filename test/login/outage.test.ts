/**
 * The store fails in the middle of the step that lets a person in: the person gets 503 and can send the same again.
 *
 * @module
 */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  codeOf,
  consentTo,
  type RegisteredClient,
  redeem,
  register,
} from '../support/oauth-client.ts'
import { expectStartAgain, moved, typeIn } from '../support/steps.ts'
import { storedKeys } from '../support/stored.ts'

/** The fate of the next writes: not taken, or taken and the answer lost. */
type Fault = 'lost' | 'unheard'
type Method = 'create' | 'set' | 'replace'

/** A store whose writes fail as a test tells it to. */
function failing(storage: Storage) {
  const faults: { method: Method; prefix: string; fault: Fault }[] = []
  const taken: string[] = []
  const attempt = async <T>(method: Method, key: string, step: () => Promise<T>): Promise<T> => {
    const index = faults.findIndex((each) => each.method === method && key.startsWith(each.prefix))
    const [found] = index === -1 ? [] : faults.splice(index, 1)
    if (found?.fault !== 'lost') {
      const result = await step()
      taken.push(`${method} ${key.split(':')[0]}`)
      if (!found) return result
    }
    throw new StorageUnavailable(new Error('no answer in time'))
  }
  const store: Storage = {
    ...storage,
    create: (key, ...rest) => attempt('create', key, () => storage.create(key, ...rest)),
    set: (key, ...rest) => attempt('set', key, () => storage.set(key, ...rest)),
    replace: (key, ...rest) => attempt('replace', key, () => storage.replace(key, ...rest)),
  }
  return {
    store,
    taken,
    fail: (method: Method, prefix: string, fault: Fault = 'lost') =>
      void faults.push({ method, prefix, fault }),
  }
}

let gateway: TestApp
let storage: ReturnType<typeof failing>
let client: RegisteredClient
let browser: Browser
let page: Awaited<ReturnType<typeof consentTo>>
beforeEach(async () => {
  const { clock, storage: memory } = await buildTestApp()
  storage = failing(memory)
  gateway = await buildTestApp({}, { clock, storage: storage.store })
  client = await register(gateway.app)
  browser = createBrowser(gateway.app)
  page = await consentTo(browser, authorizeUrl(client))
})

async function expectUnavailable(): Promise<void> {
  const answer = await typeIn(browser, page)
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, expect.any(String)])
  expect(answer.headers.location).toBeUndefined()
  // An interaction that is given back expires at once.
  gateway.clock.advance(0.001)
}
const givenBack = () => storage.taken.filter((step) => step === 'replace interaction').length

/** Exactly one answer. */
async function expectOneAnswer(): Promise<void> {
  const before = moved(browser, gateway.app)
  const answer = await typeIn(browser, page)
  expect(answer.statusCode).toBe(303)
  expectStartAgain(await typeIn(moved(before, (await gateway.restart()).app), page))
  expect((await redeem(gateway.app, client, codeOf(answer))).statusCode).toBe(200)
}

describe('a login whose outcome could not be stored', () => {
  it.each([
    ['set', 'identity:'],
    ['set', 'grant:'],
    ['set', 'code:'],
  ] as const)('can be sent again: %s %s', async (method, prefix) => {
    storage.fail(method, prefix)
    await expectUnavailable()
    await expectOneAnswer()
  })

  it('can be sent again when the answer to its gate was lost', async () => {
    storage.fail('create', 'interaction:', 'unheard')
    await expectUnavailable()
    await expectOneAnswer()
  })

  it('is given back as soon as the store answers', async () => {
    storage.fail('set', 'grant:')
    storage.fail('replace', 'interaction:')
    storage.fail('replace', 'interaction:')
    await expectUnavailable()
    expect(await storedKeys(gateway.storage, 'interaction:')).toHaveLength(1)
    await vi.waitUntil(() => givenBack() === 1)
    gateway.clock.advance(0.001)
    await expectOneAnswer()
  })

  it('does not take back the login of somebody else who was let in meanwhile', async () => {
    storage.fail('set', 'grant:')
    storage.fail('replace', 'interaction:', 'unheard')
    await expectUnavailable()
    const before = moved(browser, gateway.app)
    expect((await typeIn(browser, page)).statusCode).toBe(303)
    await vi.waitUntil(() => givenBack() === 2)
    gateway.clock.advance(11)
    expectStartAgain(await typeIn(before, page))
  })
})

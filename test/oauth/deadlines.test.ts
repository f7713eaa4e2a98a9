/**
 * A store behind a network that answers too late: it may have taken a step unheard, or may take it later (decisions
 * K14, K15).
 *
 * @module
 */
import type { LightMyRequestResponse } from 'fastify'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  type RegisteredClient,
  redeem,
  refresh,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { storedKeys, storedRecords } from '../support/stored.ts'

type Replace = Storage['replace']

let gateway: TestApp
let client: RegisteredClient
let replace: Replace
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await register(gateway.app)
  replace = gateway.storage.replace
})

const obtainCode = async () =>
  codeOf(await signIn(createBrowser(gateway.app), authorizeUrl(client)))

const late = () => new StorageUnavailable(new Error('no answer in time'))

/** Puts one step in the place of each of the next calls of `replace`; later calls are real again. */
function replaceBy(...steps: readonly Replace[]): void {
  const left = [...steps]
  gateway.storage.replace = (...args) => (left.shift() ?? replace)(...args)
}

/** The store takes the step, but its answer is lost. */
const unheard: Replace = async (...args) => {
  await replace(...args)
  throw late()
}
/** The store does not take the step. */
const lost: Replace = () => Promise.reject(late())
/** The store takes the step when a test tells it to. */
function delayed(): { step: Replace; arrive: () => Promise<boolean> } {
  let arrive = () => Promise.resolve(false)
  const step: Replace = (...args) => {
    arrive = () => replace(...args)
    return Promise.reject(late())
  }
  return { step, arrive: () => arrive() }
}

function expectOutage(answer: LightMyRequestResponse): void {
  expect(answer.statusCode).toBe(503)
  expect(answer.headers['retry-after']).toMatch(/^\d+$/)
  expect(answer.json().error).toBe('temporarily_unavailable')
}

async function expectWorking(answer: LightMyRequestResponse): Promise<void> {
  expect(answer.statusCode).toBe(200)
  const checked = await check(gateway.app, {
    authorization: `Bearer ${answer.json().access_token}`,
  })
  expect(checked.statusCode).toBe(200)
}

describe('a code whose redemption missed the deadline', () => {
  it.each([
    ['is good again, if it was spent unheard', [unheard]],
    ['is good still, if it was not spent', [lost]],
    ['is good again, if giving it back was done unheard', [unheard, unheard]],
  ])('%s', async (_what, steps) => {
    const code = await obtainCode()
    replaceBy(...steps)
    expectOutage(await redeem(gateway.app, client, code))
    await expectWorking(await redeem(gateway.app, client, code))
    // It is still good for one redemption only.
    expect((await redeem(gateway.app, client, code)).statusCode).toBe(400)
    expect(await storedKeys(gateway.storage, 'grant:')).toEqual([])
  })

  it('is good again once the store answers, however long that takes', async () => {
    const code = await obtainCode()
    replaceBy(unheard, lost, lost, lost)
    expectOutage(await redeem(gateway.app, client, code))
    await vi.waitFor(async () => {
      const records = await storedRecords(gateway.storage)
      expect(JSON.stringify(records)).toContain('freedBy')
    })
    await expectWorking(await redeem(gateway.app, client, code))
  })

  it('is not spent by what arrives after it was given back', async () => {
    const code = await obtainCode()
    const spend = delayed()
    replaceBy(spend.step)
    expectOutage(await redeem(gateway.app, client, code))
    expect(await spend.arrive()).toBe(false)
    await expectWorking(await redeem(gateway.app, client, code))
  })

  it('is given back, if it is spent in the midst of that', async () => {
    const code = await obtainCode()
    const spend = delayed()
    const arriving: Replace = async (...args) => {
      const done = await replace(...args)
      await spend.arrive()
      return done
    }
    replaceBy(spend.step, arriving)
    expectOutage(await redeem(gateway.app, client, code))
    await expectWorking(await redeem(gateway.app, client, code))
  })

  it('T18: is not given back to a second one that was faster', async () => {
    const code = await obtainCode()
    let other: LightMyRequestResponse | undefined
    const outrun: Replace = async () => {
      other = await redeem(gateway.app, client, code)
      throw late()
    }
    replaceBy(outrun)
    expectOutage(await redeem(gateway.app, client, code))
    if (!other) throw new Error('nobody was faster')
    await expectWorking(other)
    expect((await redeem(gateway.app, client, code)).statusCode).toBe(400)
    expect(await storedKeys(gateway.storage, 'grant:')).toEqual([])
  })
})

describe('a second redemption, while the first is given back', () => {
  it('reads again and gets tokens, instead of ending the grant', async () => {
    const code = await obtainCode()
    let first: LightMyRequestResponse | undefined
    const outrun: Replace = async (...args) => {
      replaceBy(lost)
      first = await redeem(gateway.app, client, code)
      return replace(...args)
    }
    replaceBy(outrun)
    const second = await redeem(gateway.app, client, code)
    if (!first) throw new Error('there was no first')
    expectOutage(first)
    await expectWorking(second)
  })
})

describe('a refresh that missed the deadline', () => {
  it.each([
    ['was done unheard', unheard],
    ['was not done', lost],
  ])('and %s brings tokens the next time', async (_what, step) => {
    const first = (await redeem(gateway.app, client, await obtainCode())).json()
    replaceBy(step)
    expectOutage(await refresh(gateway.app, client, first.refresh_token))
    const again = await refresh(gateway.app, client, first.refresh_token)
    await expectWorking(again)
    await expectWorking(await refresh(gateway.app, client, again.json().refresh_token))
  })

  it('and is done after the next one was, changes nothing', async () => {
    const first = (await redeem(gateway.app, client, await obtainCode())).json()
    const rotation = delayed()
    replaceBy(rotation.step)
    expectOutage(await refresh(gateway.app, client, first.refresh_token))
    gateway.clock.advance(5)
    const again = await refresh(gateway.app, client, first.refresh_token)
    expect(await rotation.arrive()).toBe(false)
    await expectWorking(await refresh(gateway.app, client, again.json().refresh_token))
  })
})

describe('a revocation for a replay, while the store is away', () => {
  it('T18: is done once the store answers', async () => {
    const code = await obtainCode()
    const tokens = (await redeem(gateway.app, client, code)).json()
    const { storage } = gateway
    const remove = storage.delete
    let failures = 3
    storage.delete = (key) => (failures-- > 0 ? Promise.reject(late()) : remove(key))
    expectOutage(await redeem(gateway.app, client, code))
    await vi.waitFor(async () => expect(await storedKeys(storage, 'grant:')).toEqual([]))
    const answer = await check(gateway.app, { authorization: `Bearer ${tokens.access_token}` })
    expect(answer.statusCode).toBe(401)
  })
})

import type { FastifyInstance } from 'fastify'
import { expect, it, vi } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  obtainTokens,
  redeem,
  refresh,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { listen } from '../support/raw-http.ts'
import { storedKeys } from '../support/stored.ts'

const resources = [resource({ allow: ANYONE })]
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A grant of ann's, and a grant of bob's a minute later, whose time is the boundary. */
async function twoGrants() {
  const test = await buildTestApp({ resources })
  const ann = await obtainTokens(test.app)
  test.clock.advance(60)
  const bob = await obtainTokens(test.app, { person: { name: 'bob' } })
  const revokeBefore = Math.floor(test.clock() / 1000)
  const { app } = await test.restart({ revokeBefore })
  return { app, ann, bob, test }
}

it('ends access tokens of grants made before, at the first check and at the next', async () => {
  const { app, ann, bob } = await twoGrants()
  for (const _ of ['cold', 'again']) {
    const answer = await check(app, bearer(ann.tokens.access_token))
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
    expect((await check(app, bearer(bob.tokens.access_token))).statusCode).toBe(200)
  }
})

it('ends their refresh tokens, and leaves those of later grants', async () => {
  const { app, ann, bob } = await twoGrants()
  const dead = await refresh(app, ann.client, ann.tokens.refresh_token)
  expect(dead.statusCode).toBe(400)
  expect(dead.json().error).toBe('invalid_grant')
  expect((await refresh(app, bob.client, bob.tokens.refresh_token)).statusCode).toBe(200)
})

it('ends a refreshed token, too: the sign-in counts, not the refresh', async () => {
  const test = await buildTestApp({ resources })
  const { client, tokens } = await obtainTokens(test.app)
  test.clock.advance(120)
  const renewed = (await refresh(test.app, client, tokens.refresh_token)).json()
  const { app } = await test.restart({ revokeBefore: Math.floor(test.clock() / 1000) - 60 })
  expect((await check(app, bearer(renewed.access_token))).statusCode).toBe(401)
})

it('ends a code that was not redeemed yet', async () => {
  const test = await buildTestApp({ resources })
  const client = await register(test.app)
  const code = codeOf(await signIn(createBrowser(test.app), authorizeUrl(client)))
  test.clock.advance(1)
  const { app } = await test.restart({ revokeBefore: Math.floor(test.clock() / 1000) })
  const answer = await redeem(app, client, code)
  expect(answer.json().error).toBe('invalid_grant')
})

it('lets everybody sign in again', async () => {
  const { app, ann } = await twoGrants()
  const { tokens } = await obtainTokens(app, { client: ann.client })
  expect((await check(app, bearer(tokens.access_token))).statusCode).toBe(200)
})

/** The answers to ann's access and refresh token. */
async function answersFor(app: FastifyInstance, ann: Awaited<ReturnType<typeof obtainTokens>>) {
  const checked = await check(app, bearer(ann.tokens.access_token))
  const refreshed = await refresh(app, ann.client, ann.tokens.refresh_token)
  return [checked.statusCode, refreshed.statusCode]
}
const STORED = 'the stored one still holds'
const warnings = ({ logs }: TestApp) => logs.filter(({ msg }) => String(msg).includes(STORED))

it('at6: T40: taking REVOKE_BEFORE out again revives nothing, also before the grants are deleted', async () => {
  const { ann, bob, test } = await twoGrants()
  const without = await test.restart()
  expect(await answersFor(without.app, ann)).toEqual([401, 400])
  expect(await answersFor(without.app, bob)).toEqual([200, 200])
  expect(warnings(without)).toMatchObject([{ revokeBefore: '2026-11-21T09:01:00.000Z' }])
  const lower = await test.restart({ revokeBefore: 1000 })
  expect(await answersFor(lower.app, ann)).toEqual([401, 400])
  expect(warnings(lower)).toHaveLength(1)
})

it('at6: T40: a start deletes the older grants, so that not even the stored time has to stay', async () => {
  const test = await buildTestApp({ resources })
  const ann = await obtainTokens(test.app)
  test.clock.advance(60)
  const revoking = await test.restart({ revokeBefore: Math.floor(test.clock() / 1000) })
  expect(warnings(revoking)).toEqual([])
  await listen(revoking.app)
  await expect.poll(() => storedKeys(test.storage, 'grant:')).toEqual([])
  await test.storage.delete('revoked-before')
  const without = await test.restart()
  expect(await answersFor(without.app, ann)).toEqual([401, 400])
})

it('at6: T40: a replica that was never told of it refuses too, once it looks at the store', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] })
  const test = await buildTestApp({ resources })
  const ann = await obtainTokens(test.app)
  test.clock.advance(60)
  const replica = await test.restart()
  await test.restart({ revokeBefore: Math.floor(test.clock() / 1000) })
  await vi.advanceTimersByTimeAsync(60_000)
  vi.useRealTimers()
  await expect.poll(() => answersFor(replica.app, ann)).toEqual([401, 400])
})

it('at6: T40: a stored time written by hand, without a MAC, counts for nothing', async () => {
  const { ann, test } = await twoGrants()
  await test.storage.set('revoked-before', { at: 0 }, 'forever')
  const { app } = await test.restart({ revokeBefore: Math.floor(test.clock() / 1000) })
  expect(await answersFor(app, ann)).toEqual([401, 400])
  expect(await answersFor((await test.restart()).app, ann)).toEqual([401, 400])
})

it('at6: ed34: a grant made under a clock that ran ahead ends with the others', async () => {
  const test = await buildTestApp({ resources })
  test.clock.set(86_400)
  const ann = await obtainTokens(test.app)
  test.clock.set(-86_400)
  const revoking = await test.restart({ revokeBefore: Math.floor(test.clock() / 1000) })
  await listen(revoking.app)
  await expect.poll(() => storedKeys(test.storage, 'grant:')).toEqual([])
  expect(await answersFor(revoking.app, ann)).toEqual([401, 400])
})

it('at6: ed34: a time stored under a clock that ran ahead does not end the sign-ins of today', async () => {
  const test = await buildTestApp({ resources })
  test.clock.set(86_400)
  await test.restart({ revokeBefore: Math.floor(test.clock() / 1000) })
  test.clock.set(-86_400)
  const { app } = await test.restart()
  const ann = await obtainTokens(app)
  expect(await answersFor(app, ann)).toEqual([200, 200])
  test.clock.advance(60)
  expect(await answersFor((await test.restart()).app, ann)).toEqual([200, 200])
})

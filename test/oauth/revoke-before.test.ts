import { expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
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

it('is undone by taking it back: nothing was deleted', async () => {
  const { ann, test } = await twoGrants()
  const { app } = await test.restart()
  expect((await check(app, bearer(ann.tokens.access_token))).statusCode).toBe(200)
})

/** RFC 8252: OAuth 2.0 for Native Apps. */
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  codeOf,
  obtainTokens,
  redeem,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { staysHere } from './wire.ts'

let gateway: TestApp
beforeEach(async () => {
  gateway = await buildTestApp()
})

/** Asks with the redirect URI `requested`, as a client that registered `registered`. */
async function ask(registered: string, requested: string) {
  const client = await register(gateway.app, { redirect_uris: [registered] })
  const url = authorizeUrl(client, { redirect_uri: requested })
  return { client, url, answer: await createBrowser(gateway.app).get(url) }
}

describe('section 7.3: a loopback redirect may have another port than the registered one:', () => {
  it.each([
    ['http://127.0.0.1/callback', 'http://127.0.0.1:51004/callback'],
    ['http://127.0.0.1:33418/callback', 'http://127.0.0.1:61023/callback'],
    ['http://[::1]/callback', 'http://[::1]:61023/callback'],
  ])('%s, then %s', async (registered, requested) => {
    const { client, url } = await ask(registered, requested)
    const answer = await signIn(createBrowser(gateway.app), url)
    expect(String(answer.headers.location).startsWith(`${requested}?`)).toBe(true)
    const redeemed = await redeem(gateway.app, client, codeOf(answer), { redirect_uri: requested })
    expect(redeemed.statusCode).toBe(200)
  })
})

describe('section 8.4: and nothing else of it may differ:', () => {
  it.each([
    ['http://127.0.0.1/callback', 'http://127.0.0.1:51004/other'],
    ['http://127.0.0.1/callback', 'http://[::1]:51004/callback'],
    ['http://127.0.0.1/callback', 'http://localhost:51004/callback'],
    ['http://127.0.0.1/callback', 'https://127.0.0.1/callback'],
    ['https://client.example.com/callback', 'https://client.example.com:8443/callback'],
  ])('%s, then %s', async (registered, requested) => {
    expect(staysHere((await ask(registered, requested)).answer)).toBe(true)
  })
})

it('section 7.1: a private-use scheme of a domain in reverse is a redirect', async () => {
  const uri = 'com.example.app:/oauth2redirect'
  expect((await ask(uri, uri)).answer.statusCode).toBe(200)
})

it('section 7.1: a scheme without a dot, which belongs to nobody, is not', async () => {
  const answer = await gateway.app.inject({
    method: 'POST',
    url: '/register',
    payload: { redirect_uris: ['myapp:/oauth2redirect'] },
  })
  expect(answer.json().error).toBe('invalid_redirect_uri')
})

it('section 7.2: a claimed https address is a redirect', async () => {
  const uri = 'https://app.example.com/oauth2redirect'
  expect((await ask(uri, uri)).answer.statusCode).toBe(200)
})

it('section 8.1: a native app that brings no proof key is refused', async () => {
  const client = await register(gateway.app)
  const url = authorizeUrl(client, { code_challenge: undefined, code_challenge_method: undefined })
  const answer = await createBrowser(gateway.app).get(url)
  expect(String(answer.headers.location)).toContain('error=invalid_request')
})

it('section 8.5: a native app needs no secret', async () => {
  const { client } = await obtainTokens(gateway.app)
  expect(client).not.toHaveProperty('client_secret')
})

it('section 8.6: no request is answered without asking the person, who allowed the same client before', async () => {
  const { client, browser } = await obtainTokens(gateway.app)
  const again = await browser.get(authorizeUrl(client))
  expect(again.statusCode).toBe(200)
  expect(again.headers.location).toBeUndefined()
  expect(again.body).toContain('value="approve"')
})

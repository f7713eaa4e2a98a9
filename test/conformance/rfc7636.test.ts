/** RFC 7636: Proof Key for Code Exchange, as OAuth 2.1 narrows it to S256. */
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  codeOf,
  type RegisteredClient,
  redeem,
  register,
  signIn,
  VERIFIER,
} from '../support/oauth-client.ts'
import { responseOf } from './wire.ts'

let gateway: TestApp
let client: RegisteredClient
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await register(gateway.app)
})

const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')

async function codeFor(verifier: string): Promise<string> {
  const url = authorizeUrl(client, { code_challenge: challengeOf(verifier) })
  return codeOf(await signIn(createBrowser(gateway.app), url))
}

it('section 4.6: the verifier whose SHA-256 is the challenge redeems the code', async () => {
  // The pair of appendix B.
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
  expect(challengeOf(verifier)).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
  const answer = await redeem(gateway.app, client, await codeFor(verifier), {
    code_verifier: verifier,
  })
  expect(answer.statusCode).toBe(200)
})

describe('section 4.1: a verifier may have', () => {
  it.each([43, 128])('%i characters', async (length) => {
    const verifier = '-._~aZ09'.repeat(16).slice(0, length)
    const answer = await redeem(gateway.app, client, await codeFor(verifier), {
      code_verifier: verifier,
    })
    expect(answer.statusCode).toBe(200)
  })
})

describe('section 4.1: a verifier may not have', () => {
  it.each([
    ['42 characters', 'a'.repeat(42)],
    ['129 characters', 'a'.repeat(129)],
    ['a character beyond the unreserved ones', `${'a'.repeat(43)}+`],
  ])('%s', async (_what, verifier) => {
    const answer = await redeem(gateway.app, client, await codeFor(verifier), {
      code_verifier: verifier,
    })
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).not.toHaveProperty('access_token')
  })
})

describe('section 4.4.1: the authorization endpoint answers invalid_request to', () => {
  it.each([
    ['a request without a challenge', { code_challenge: undefined }],
    ['a challenge without a method, which would mean plain', { code_challenge_method: undefined }],
    ['the method plain', { code_challenge_method: 'plain' }],
    ['a method nobody knows', { code_challenge_method: 'S512' }],
    ['a challenge that no SHA-256 can be', { code_challenge: 'short' }],
  ])('%s', async (_what, changes) => {
    const answer = await createBrowser(gateway.app).get(authorizeUrl(client, changes))
    expect(responseOf(answer)).toMatchObject({ error: 'invalid_request' })
  })
})

it('section 4.6: a verifier of another challenge is invalid_grant', async () => {
  const answer = await redeem(gateway.app, client, await codeFor(VERIFIER), {
    code_verifier: 'another-code-verifier-of-at-least-43-characters',
  })
  expect(answer.statusCode).toBe(400)
  expect(answer.json().error).toBe('invalid_grant')
})

it('section 4.5: a code is not redeemed without its verifier', async () => {
  const answer = await redeem(gateway.app, client, await codeFor(VERIFIER), {
    code_verifier: undefined,
  })
  expect(answer.statusCode).toBe(400)
  expect(answer.json().error).toBe('invalid_request')
})

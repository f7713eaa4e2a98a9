/**
 * The signing key that the operator brings (`SIGNING_KEY`).
 *
 * @module
 */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import type { BroughtKey } from '../../src/oauth/tokens/brought-key.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { buildTestApp, createClock, type TestApp } from '../support/build-app.ts'
import { check, obtainTokens, refresh } from '../support/oauth-client.ts'
import { storedRecords } from '../support/stored.ts'

const P256: BroughtKey = {
  algorithm: 'ES256',
  privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
}
const RSA: BroughtKey = {
  algorithm: 'RS256',
  privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
}
const MONTH = 31 * 86_400

const jwksOf = async ({ app }: TestApp) => (await app.inject('/jwks')).json()
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** True if the token was signed with this key; any program outside can tell. */
async function isSignedBy(token: string, key: KeyObject): Promise<boolean> {
  return jwtVerify(token, createPublicKey(key)).then(
    () => true,
    () => false,
  )
}

describe.each([
  ['P-256', P256],
  ['RSA', RSA],
])('a brought key of %s', (_name, signingKey) => {
  it('signs access tokens, and is published, so that programs outside can verify them', async () => {
    const clock = createClock(Date.now())
    const gateway = await buildTestApp({ signingKey }, { clock })
    const { tokens } = await obtainTokens(gateway.app)
    expect(decodeProtectedHeader(tokens.access_token).alg).toBe(signingKey.algorithm)
    expect(await isSignedBy(tokens.access_token, signingKey.privateKey)).toBe(true)
    const keys = createLocalJWKSet(await jwksOf(gateway))
    expect((await jwtVerify(tokens.access_token, keys)).protectedHeader.kid).toBeDefined()
    expect((await check(gateway.app, bearer(tokens.access_token))).statusCode).toBe(200)
  })

  it('is published once, and nowhere in the store in the clear', async () => {
    const gateway = await buildTestApp({ signingKey })
    const kids = (await jwksOf(gateway)).keys.map(({ kid }: { kid: string }) => kid)
    expect(new Set(kids).size).toBe(kids.length)
    const { d } = signingKey.privateKey.export({ format: 'jwk' })
    const stored = JSON.stringify(await storedRecords(gateway.storage))
    expect(stored).not.toContain(String(d))
    expect(stored).not.toContain('PRIVATE KEY')
  })

  it('signs on, month after month, and its tokens are refreshed', async () => {
    const gateway = await buildTestApp({
      signingKey,
      lifetimes: {
        accessToken: 3600,
        grant: 400 * 86_400,
        grantIdle: 400 * 86_400,
        refreshGrace: 60,
        session: 86_400,
        sessionIdle: 28_800,
      },
    })
    let { tokens, client } = await obtainTokens(gateway.app)
    for (let month = 0; month < 4; month += 1) {
      gateway.clock.advance(MONTH)
      const after = await gateway.restart()
      const answer = await refresh(after.app, client, tokens.refresh_token)
      tokens = answer.json()
      expect(decodeProtectedHeader(tokens.access_token).alg).toBe(signingKey.algorithm)
      expect((await check(after.app, bearer(tokens.access_token))).statusCode).toBe(200)
    }
  })
})

it('signs on one replica while another, not yet configured, knows it', async () => {
  const clock = createClock()
  const storage = createMemoryStorage({ now: clock })
  const old = await buildTestApp({}, { clock, storage })
  const fresh = await buildTestApp({ signingKey: P256 }, { clock, storage })
  const { tokens } = await obtainTokens(fresh.app)
  expect((await check(old.app, bearer(tokens.access_token))).statusCode).toBe(200)
  const older = await obtainTokens(old.app)
  expect((await check(fresh.app, bearer(older.tokens.access_token))).statusCode).toBe(200)
})

it('verifies what a P-256 key signed after it left the configuration', async () => {
  const before = await buildTestApp({ signingKey: P256 })
  const { tokens } = await obtainTokens(before.app)
  const after = await buildTestApp({}, before)
  expect((await check(after.app, bearer(tokens.access_token))).statusCode).toBe(200)
})

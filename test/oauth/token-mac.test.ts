/** K34: the MAC in the header of a token of ours is compared before anything dear. */
import { decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { randomToken } from '../../src/crypto.ts'
import { replaceSigningKeys } from '../../src/oauth/tokens/signing-keys.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { buildTestApp, createClock, SECRET } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { keyDeps, testKeyring } from '../support/signing.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** A gateway whose store counts every read, and a token that it has not seen. */
async function unseen() {
  const clock = createClock()
  const storage = createMemoryStorage({ now: clock })
  const state = { reads: 0 }
  const counted: Storage = {
    ...storage,
    get(key) {
      state.reads += 1
      return storage.get(key)
    },
    scan(prefix) {
      state.reads += 1
      return storage.scan(prefix)
    },
  }
  const maker = await buildTestApp({}, { clock, storage })
  const { tokens } = await obtainTokens(maker.app)
  const { app } = await buildTestApp({}, { clock, storage: counted })
  state.reads = 0
  const status = async (token: string) =>
    (await check(app, { authorization: `Bearer ${token}` })).statusCode
  return { token: tokens.access_token, status, state, clock, storage }
}

/** Every other spelling of base64url text that decodes to the same bytes. */
function otherSpellings(text: string): string[] {
  const bytes = Buffer.from(text, 'base64url')
  const last = [...ALPHABET].map((character) => text.slice(0, -1) + character)
  return [...last, `${text}=`, `${text}==`, `${text}.`].filter(
    (other) => other !== text && Buffer.from(other, 'base64url').equals(bytes),
  )
}

describe('a token whose MAC is not ours', () => {
  it.each([
    ['an unknown key id', (token: string) => withHeader(token, { kid: randomToken(32) })],
    ['our key id', (token: string) => withHeader(token, { gw: randomToken(16) })],
    [
      'a changed payload',
      (token: string) => token.replace(/\.(.)/, (_, c) => (c === 'e' ? '.f' : '.e')),
    ],
    ['no MAC', (token: string) => withHeader(token, { gw: undefined })],
    ['another order of the header', reordered],
  ])('is refused without one read of the store: %s', async (_what, forge) => {
    const { token, status, state } = await unseen()
    for (let i = 0; i < 50; i += 1) expect(await status(forge(token))).toBe(401)
    expect(state.reads).toBe(0)
    expect(await status(token)).toBe(200)
  })
})

describe('a token with a good MAC', () => {
  it('is refused with an altered, stripped or second spelling of its signature, seen or not', async () => {
    const { token, status } = await unseen()
    const [header = '', payload = '', signature = ''] = token.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    const flipped = Buffer.from(bytes)
    flipped[10] = (flipped[10] ?? 0) ^ 1
    const s = ORDER - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
    const twin = Buffer.concat([
      bytes.subarray(0, 32),
      Buffer.from(s.toString(16).padStart(64, '0'), 'hex'),
    ])
    const others = otherSpellings(signature)
    expect(others.length).toBeGreaterThan(10)
    const all = [
      ...others,
      flipped.toString('base64url'),
      twin.toString('base64url'),
      signature.slice(0, -2),
      '',
      Buffer.concat([Buffer.alloc(1), bytes]).toString('base64url'),
    ].map((other) => `${header}.${payload}.${other}`)
    for (const altered of all) expect([altered, await status(altered)]).toEqual([altered, 401])
    expect(await status(token)).toBe(200)
    for (const altered of all) expect([altered, await status(altered)]).toEqual([altered, 401])
  })

  it('always carries the smaller of the two values that ECDSA takes for s', async () => {
    const { app } = await buildTestApp()
    for (let i = 0; i < 8; i += 1) {
      const { tokens } = await obtainTokens(app)
      const signature = Buffer.from(tokens.access_token.split('.')[2] ?? '', 'base64url')
      expect(BigInt(`0x${signature.subarray(32).toString('hex')}`)).toBeLessThanOrEqual(ORDER / 2n)
    }
  })

  it('ends with its key when that was compromised', async () => {
    const { token, clock, storage } = await unseen()
    await replaceSigningKeys(keyDeps({ storage, now: clock }))
    clock.advance(1)
    const { app } = await buildTestApp({}, { clock, storage })
    expect((await check(app, { authorization: `Bearer ${token}` })).statusCode).toBe(401)
  })

  it('counts under a previous secret, and not under one that was forgotten', async () => {
    const { token, clock, storage } = await unseen()
    const secret = 'the next root secret, just as long'
    const authorization = `Bearer ${token}`
    const both = await buildTestApp({ secretPrevious: [SECRET] }, { clock, storage, secret })
    expect((await check(both.app, { authorization })).statusCode).toBe(200)
    const forgotten = await buildTestApp({}, { clock, storage, secret })
    expect((await check(forgotten.app, { authorization })).statusCode).toBe(401)
  })
})

it('the MAC of a session is none for an access token, nor that of another issuer', async () => {
  const input = 'the same text'
  const keyring = testKeyring()
  const mac = keyring.mac('token-mac/at+jwt', input, 16)
  expect(keyring.verifyMac('token-mac/at+jwt', input, mac, 16)).toBe(true)
  expect(keyring.verifyMac('token-mac/session+jwt', input, mac, 16)).toBe(false)
  for (const other of otherSpellings(mac)) {
    expect(keyring.verifyMac('token-mac/at+jwt', input, other, 16)).toBe(false)
  }
})

it('a usual token response is under 1,000 characters, and a usual client id under 200', async () => {
  const { app } = await buildTestApp()
  const { client, tokens } = await obtainTokens(app)
  expect(client.client_id.length).toBeLessThan(200)
  expect(JSON.stringify(tokens).length).toBeLessThan(1000)
})

function withHeader(token: string, changes: object): string {
  const header = { ...decodeProtectedHeader(token), ...changes }
  return token.replace(/^[^.]+/, Buffer.from(JSON.stringify(header)).toString('base64url'))
}

function reordered(token: string): string {
  const { alg, typ, kid, gw } = decodeProtectedHeader(token)
  const header = JSON.stringify({ kid, alg, typ, gw })
  return token.replace(/^[^.]+/, Buffer.from(header).toString('base64url'))
}

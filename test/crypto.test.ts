/** Sealed values: one spelling, one purpose, one issuer (threat T52, at20). */
import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createKeyring, type KeyLabel } from '../src/crypto.ts'
import { testKeyring } from './support/signing.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const LABELS: readonly KeyLabel[] = ['client-id', 'interaction', 'cookie', 'key-wrap']

describe('a sealed value', () => {
  it.each([
    ['a text', 'Łukasz ☕'],
    ['a number', 1763715600],
    ['true', true],
    ['a list', ['a', [1, 2], null]],
    ['a map', { pkcs8: 'x', publicJwk: { kty: 'EC', __proto__x: 1 } }],
    ['an empty list', []],
  ])('opens to what it was: %s', (_what, value) => {
    const keyring = testKeyring()
    expect(keyring.open('cookie', keyring.seal('cookie', value))).toEqual(value)
  })

  it('T52: has one spelling', () => {
    const keyring = testKeyring()
    for (let size = 0; size < 6; size += 1) {
      const sealed = keyring.seal('client-id', 'x'.repeat(size))
      const others = [...ALPHABET].map((last) => sealed.slice(0, -1) + last)
      const spellings = [
        ...others,
        `${sealed}=`,
        `${sealed}==`,
        ` ${sealed}`,
        `${sealed}\n`,
        `${sealed}.`,
      ]
      const good = spellings.filter((text) => keyring.open('client-id', text) !== undefined)
      expect(good).toEqual([sealed])
    }
  })

  it('opens for one purpose, under one secret, at one issuer', () => {
    const sealed = testKeyring().seal('client-id', 'x')
    for (const label of LABELS.filter((other) => other !== 'client-id')) {
      expect(testKeyring().open(label, sealed)).toBeUndefined()
    }
    expect(testKeyring('another secret').open('client-id', sealed)).toBeUndefined()
    expect(
      testKeyring('another secret', ['a root secret']).open('client-id', sealed),
    ).toBeUndefined()
    const elsewhere = createKeyring('one secret of two deployments', {
      issuer: 'https://b.example',
    })
    const here = createKeyring('one secret of two deployments', { issuer: 'https://a.example' })
    expect(elsewhere.open('client-id', here.seal('client-id', 'x'))).toBeUndefined()
    expect(elsewhere.verifyMac('refresh', 'x', here.mac('refresh', 'x'))).toBe(false)
  })

  it('of a store opens also after PUBLIC_URL has changed', () => {
    const before = createKeyring('the secret', { issuer: 'https://old.example' })
    const after = createKeyring('the secret', { issuer: 'https://new.example' })
    expect(after.open('key-wrap', before.seal('key-wrap', 'a key'))).toBe('a key')
  })

  it('opens under a previous secret, and is told from one of the current secret', () => {
    const old = testKeyring('the old one').seal('key-wrap', 'x')
    const keyring = testKeyring('the new one', ['an older one', 'the old one'])
    expect(keyring.open('key-wrap', old)).toBe('x')
    expect(keyring.isCurrent('key-wrap', old)).toBe(false)
    expect(keyring.isCurrent('key-wrap', keyring.seal('key-wrap', 'x'))).toBe(true)
  })

  it('opens to nothing when one bit of it was changed, cut off or added', () => {
    const keyring = testKeyring()
    const bytes = Buffer.from(keyring.seal('cookie', { id: 'x' }), 'base64url')
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(keyring.open('cookie', changed.toString('base64url'))).toBeUndefined()
      expect(keyring.open('cookie', bytes.subarray(0, at).toString('base64url'))).toBeUndefined()
    }
    const longer = Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url')
    expect(keyring.open('cookie', longer)).toBeUndefined()
  })

  it('that is too large to be one of ours is never made', () => {
    expect(() => testKeyring().seal('cookie', 'x'.repeat(64 * 1024))).toThrow('too large')
  })
})

describe('a MAC', () => {
  it('is HMAC-SHA-256 (RFC 2104) under the derived key, whatever the message', () => {
    const keyring = createKeyring('the root', { issuer: 'https://a.example' })
    const info = 'gatewarden/refresh\0https://a.example'
    const key = Buffer.from(hkdfSync('sha256', 'the root', 'gatewarden', info, 32))
    const messages = ['', 'x', 'Łukasz ☕', 'y'.repeat(63), 'y'.repeat(64), 'y'.repeat(65)]
    for (let size = 0; size < 200; size += 7) messages.push(randomBytes(size).toString('latin1'))
    for (const message of messages) {
      const expected = createHmac('sha256', key).update(message).digest()
      expect(keyring.mac('refresh', message)).toBe(expected.toString('base64url'))
      expect(keyring.mac('refresh', message, 16)).toBe(
        expected.subarray(0, 16).toString('base64url'),
      )
    }
  })

  it('of another message, label, length or key is refused', () => {
    const keyring = testKeyring()
    const mac = keyring.mac('refresh', 'a message')
    expect(keyring.verifyMac('refresh', 'a message', mac)).toBe(true)
    expect(keyring.verifyMac('refresh', 'a messagf', mac)).toBe(false)
    expect(keyring.verifyMac('cookie', 'a message', mac)).toBe(false)
    expect(keyring.verifyMac('refresh', 'a message', mac.slice(0, 22), 32)).toBe(false)
    expect(keyring.verifyMac('refresh', 'a message', mac, 16)).toBe(false)
    expect(keyring.verifyMac('refresh', 'a message', '')).toBe(false)
    expect(testKeyring('another').verifyMac('refresh', 'a message', mac)).toBe(false)
  })
})

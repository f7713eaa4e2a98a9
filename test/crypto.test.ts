/** Sealed values: one spelling, one purpose, one issuer (threat T52, at20). */
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

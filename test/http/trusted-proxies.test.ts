import { describe, expect, it } from 'vitest'
import { compileTrustedProxies } from '../../src/http/trusted-proxies.ts'

const trusts = (entries: string[], peer: string | undefined) => compileTrustedProxies(entries)(peer)

describe('a peer is trusted if an entry covers it', () => {
  it.each<[string, string, boolean]>([
    ['127.0.0.0/8', '127.0.0.1', true],
    ['127.0.0.0/8', '127.255.0.9', true],
    ['127.0.0.0/8', '128.0.0.1', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.0/30', '10.0.0.3', true],
    ['10.0.0.0/30', '10.0.0.4', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['::1', '::1', true],
    ['::1', '::2', false],
    ['fd00::/8', 'fd12:3456::1', true],
    ['fd00::/8', 'fe80::1', false],
    ['2001:db8:1::/48', '2001:db8:1:ffff::9', true],
    ['2001:db8:1::/48', '2001:db8:2::9', false],
    ['2001:DB8::1', '2001:db8:0:0::1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
  ])('%s and %s: %s', (entry, peer, trusted) => {
    expect(trusts([entry], peer)).toBe(trusted)
  })
})

describe('an IPv4 peer on an IPv6 socket counts as IPv4', () => {
  it.each<[string, string, boolean]>([
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:11.1.2.3', false],
    ['::ffff:10.0.0.1', '10.0.0.1', true],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1', true],
    ['::/0', '203.0.113.9', true],
    ['10.0.0.1', '::10.0.0.1', false],
  ])('%s and %s: %s', (entry, peer, trusted) => {
    expect(trusts([entry], peer)).toBe(trusted)
  })
})

it('trusts nobody by an empty list', () => {
  expect(trusts([], '127.0.0.1')).toBe(false)
})

it('trusts nobody without an address', () => {
  expect(trusts(['0.0.0.0/0', '::/0'], undefined)).toBe(false)
})

it('trusts nobody with an address that is none', () => {
  expect(trusts(['0.0.0.0/0', '::/0'], '/run/gatewarden.sock')).toBe(false)
})

it('says the same again, and after many strangers', () => {
  const isTrusted = compileTrustedProxies(['10.0.0.1'])
  for (let i = 0; i < 5000; i += 1) expect(isTrusted(`10.9.${i >> 8}.${i & 255}`)).toBe(false)
  expect(isTrusted('10.0.0.1')).toBe(true)
  expect(isTrusted('10.0.0.1')).toBe(true)
  expect(isTrusted('10.9.0.1')).toBe(false)
})

it.each(['localhost', '10.0.0', '10.0.0.0.0/8', '', 'example.com/8'])(
  'refuses an entry that is no address: %j',
  (entry) => {
    expect(() => compileTrustedProxies([entry])).toThrow(TypeError)
  },
)

import { describe, expect, it } from 'vitest'
import { bucketsOf, widestBucketOf } from '../../src/url/address-buckets.ts'
import { parseIpAddress } from '../../src/url/ip-address.ts'

describe('an address has one spelling, whoever writes it', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    [' 192.0.2.1\t', '192.0.2.1'],
    ['192.0.2.1:443', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['[::ffff:192.0.2.1]:443', '192.0.2.1'],
    ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
    ['::ffff:0.0.0.1', '0.0.0.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%en0.1]:80', 'fe80::1'],
    ['::', '::'],
    ['::1', '::1'],
  ])('%j is %s', (text, address) => {
    expect(parseIpAddress(text)).toBe(address)
    expect(parseIpAddress(address)).toBe(address)
  })

  it.each(['::192.0.2.1', '2002:c000:201::', '64:ff9b::192.0.2.1', '::ffff:0:192.0.2.1'])(
    '%s is another host than the IPv4 address that it holds',
    (text) => {
      expect(parseIpAddress(text)).toContain(':')
    },
  )
})

it.each([
  '',
  ' ',
  'unknown',
  '_hidden',
  'localhost',
  'example.com',
  '192.0.2',
  '192.0.2.1.1',
  '192.0.2.256',
  '0x7f.1',
  '010.0.0.1',
  '192.0.2.1:',
  '192.0.2.1:123456',
  '192.0.2.1%eth0',
  '[192.0.2.1]',
  '2001:db8::1::2',
  '[2001:db8::1',
  '2001:db8::1]',
  '[2001:db8::1]443',
  '[[::1]]',
  '%eth0',
  '::1%a/b',
  '"192.0.2.1"',
  '192.0.2.1, 192.0.2.2',
  '1'.repeat(5000),
])('%.40j is no address', (text) => {
  expect(parseIpAddress(text)).toBeUndefined()
})

describe('the blocks that an address is counted in', () => {
  it.each([
    ['192.0.2.1', ['192.0.2.1']],
    ['2001:db8:1:2ff::1', ['2001:db8:1:2ff::/64', '2001:db8:1:200::/56', '2001:db8:1::/48']],
    ['2001:db8::1', ['2001:db8:0:0::/64', '2001:db8:0:0::/56', '2001:db8:0::/48']],
    ['2002:c000:201:5::1', ['192.0.2.1']],
    ['64:ff9b::c000:201', ['192.0.2.1']],
    ['64:ff9b:1::c000:201', ['64:ff9b:1:0::/64', '64:ff9b:1:0::/56', '64:ff9b:1::/48']],
    ['::1', ['0:0:0:0::/64', '0:0:0:0::/56', '0:0:0::/48']],
    ['', ['']],
  ])('%s', (address, blocks) => {
    expect(bucketsOf(address).map(({ key }) => key)).toEqual(blocks)
    expect(widestBucketOf(address)).toBe(blocks.at(-1))
  })

  it('have distinct names, and a wider one gets a larger share', () => {
    const buckets = bucketsOf('2001:db8::1')
    expect(new Set(buckets.map(({ key }) => key)).size).toBe(3)
    expect(buckets.map(({ share }) => share)).toEqual([1, 2, 4])
  })
})

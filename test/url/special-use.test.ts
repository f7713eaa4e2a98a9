import { describe, expect, it } from 'vitest'
import { isLoopbackName, isSpecialUse } from '../../src/url/special-use.ts'

/** RFC 6890, the IANA registries that it began, and the forms that wrap an IPv4 address (threat T9). */
describe('T9: an address is not of the public Internet:', () => {
  it.each([
    ['0.0.0.0', '0.255.255.255'],
    ['10.0.0.0', '10.255.255.255'],
    ['100.64.0.0', '100.127.255.255'],
    ['127.0.0.0', '127.255.255.255'],
    ['169.254.0.0', '169.254.255.255'],
    ['172.16.0.0', '172.31.255.255'],
    ['192.0.0.0', '192.0.0.255'],
    ['192.0.2.0', '192.0.2.255'],
    ['192.88.99.0', '192.88.99.255'],
    ['192.168.0.0', '192.168.255.255'],
    ['198.18.0.0', '198.19.255.255'],
    ['198.51.100.0', '198.51.100.255'],
    ['203.0.113.0', '203.0.113.255'],
    ['224.0.0.0', '239.255.255.255'],
    ['240.0.0.0', '255.255.255.255'],
    ['::', '::1'],
    ['::7f00:1', '::a9fe:a9fe'],
    ['::ffff:127.0.0.1', '::ffff:a9fe:a9fe'],
    ['64:ff9b::', '64:ff9b::ffff:ffff'],
    ['64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'],
    ['100::', '100::ffff:ffff:ffff:ffff'],
    ['2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['5f00::', '5f00:ffff::'],
    ['fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['fec0::', 'feff::'],
    ['ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['2606:4700::5efe:a00:1', '2606:4700:0:0:200:5efe:127.0.0.1'],
  ])('%s and %s', (first, last) => {
    expect([isSpecialUse(first), isSpecialUse(last)]).toEqual([true, true])
  })

  it.each(['', 'localhost', '127.1', '0x7f000001', '2130706433', '1.2.3', '[', 'fe80::1%eth0'])(
    'text that is no plain address: %j',
    (text) => {
      expect(isSpecialUse(text)).toBe(true)
    },
  )
})

describe('an address is of the public Internet:', () => {
  it.each([
    ['1.0.0.0', '9.255.255.255'],
    ['11.0.0.0', '100.63.255.255'],
    ['100.128.0.0', '126.255.255.255'],
    ['128.0.0.0', '169.253.255.255'],
    ['172.15.255.255', '172.32.0.0'],
    ['192.167.255.255', '192.169.0.0'],
    ['198.17.255.255', '198.20.0.0'],
    ['::ffff:8.8.8.8', '223.255.255.255'],
    ['2001:200::', '2001:db7:ffff::'],
    ['2001:4860:4860::8888', '2606:4700:4700::1111'],
    ['2a00:1450::', '2003::'],
  ])('%s and %s', (first, last) => {
    expect([isSpecialUse(first), isSpecialUse(last)]).toEqual([false, false])
  })
})

it.each([
  ['localhost', true],
  ['a.localhost', true],
  ['127.8.9.1', true],
  ['[::1]', true],
  ['localhost.example.com', false],
  ['notlocalhost', false],
  ['10.0.0.1', false],
])('%s means this machine: %s', (name, expected) => {
  expect(isLoopbackName(name)).toBe(expected)
})

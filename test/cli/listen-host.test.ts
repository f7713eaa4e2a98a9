import { describe, expect, it } from 'vitest'
import { hostAndPort, hostToBind, isWithoutIpv6 } from '../../src/cli/listen-host.ts'

const failing = (code: string) => () =>
  Promise.reject(Object.assign(new Error(`listen ${code}`), { code }))

describe('the address to listen on', () => {
  it.each(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT'])(
    'ed24: is 0.0.0.0 for :: on a machine without IPv6 (%s)',
    async (code) => {
      expect(await hostToBind('::', failing(code))).toBe('0.0.0.0')
    },
  )

  it.each(['EACCES', 'EMFILE'])('stays :: for any other problem (%s)', async (code) => {
    expect(await hostToBind('::', failing(code))).toBe('::')
  })

  it('is what the operator wrote otherwise, untried', async () => {
    for (const host of ['0.0.0.0', '127.0.0.1', '::1', 'localhost']) {
      expect(await hostToBind(host, failing('EAFNOSUPPORT'))).toBe(host)
    }
  })

  it('is tried on this machine, and the port stays free', async () => {
    expect(['::', '0.0.0.0']).toContain(await hostToBind('::'))
  })
})

it('an IPv6 address is shown in brackets', () => {
  expect(hostAndPort('::', 11_000)).toBe('[::]:11000')
  expect(hostAndPort('0.0.0.0', 80)).toBe('0.0.0.0:80')
})

it('only a missing IPv6 is one', () => {
  expect(isWithoutIpv6(Object.assign(new Error('x'), { code: 'EADDRNOTAVAIL' }))).toBe(true)
  expect(isWithoutIpv6(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))).toBe(false)
  expect(isWithoutIpv6('EADDRNOTAVAIL')).toBe(false)
})

/** The one reader of a client's address: limits, lock-outs and the log ask it. */
import { describe, expect, it } from 'vitest'
import { hostToBind } from '../../src/cli/listen-host.ts'
import { createClientAddress } from '../../src/http/client-address.ts'
import { buildTestApp } from '../support/build-app.ts'
import { recordEvents } from '../support/recorded-events.ts'

const TRUSTED = ['10.0.0.2', '10.0.0.5', '172.18.0.0/16', '2606:4700::/32', 'fd00::/8', '::1']

function addressOf(peer: string | undefined, forwardedFor?: string, trustedProxies = TRUSTED) {
  const events = recordEvents()
  const read = createClientAddress({ trustedProxies, events })
  const request = {
    socket: { remoteAddress: peer },
    headers: forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor },
  }
  return { address: read(request), emitted: events.emitted }
}

describe('the client of a request', () => {
  it.each<[string, string | undefined, string | undefined, string]>([
    ['a stranger', '203.0.113.9', undefined, '203.0.113.9'],
    ['a stranger who forges', '203.0.113.9', '192.0.2.1', '203.0.113.9'],
    ['a stranger on an IPv6 socket', '::ffff:203.0.113.9', undefined, '203.0.113.9'],
    ['behind a proxy', '10.0.0.2', '192.0.2.1', '192.0.2.1'],
    ['behind a proxy on an IPv6 socket', '::ffff:10.0.0.2', '192.0.2.1', '192.0.2.1'],
    ['behind a proxy that is silent', '10.0.0.2', undefined, '10.0.0.2'],
    ['with an empty header', '10.0.0.2', ' , ,', '10.0.0.2'],
    ['who forges in front', '10.0.0.2', '198.51.100.1, 192.0.2.1', '192.0.2.1'],
    ['with a port', '10.0.0.2', '192.0.2.1:51234', '192.0.2.1'],
    ['in brackets', '10.0.0.2', '[2001:db8::1]:51234', '2001:db8::1'],
    ['with a zone', '10.0.0.2', 'fe80::1%eth0', 'fe80::1'],
    ['mapped', '10.0.0.2', '::ffff:192.0.2.1', '192.0.2.1'],
    ['in another spelling', '10.0.0.2', '2001:DB8:0:0::1', '2001:db8::1'],
    ['behind two proxies', '10.0.0.2', '192.0.2.1, 10.0.0.5', '192.0.2.1'],
    ['behind two, one with a port', '10.0.0.2', '192.0.2.1:1,10.0.0.5:80', '192.0.2.1'],
    ['behind two, one mapped', '10.0.0.2', '192.0.2.1, ::ffff:10.0.0.5', '192.0.2.1'],
    ['behind a service of public addresses', '10.0.0.2', '192.0.2.1, 2606:4700::7', '192.0.2.1'],
    ['behind a proxy in a network', '172.18.0.4', '192.0.2.1', '192.0.2.1'],
    ['inside a network of proxies', '10.0.0.2', '198.51.100.1, 172.18.0.9', '172.18.0.9'],
    ['inside it, IPv6', '::1', '198.51.100.1, fd00::9', 'fd00::9'],
    ['inside it, beside its proxy', '172.18.0.4', '198.51.100.1, 172.18.0.4', '172.18.0.4'],
    ['that forges proxies', '10.0.0.2', '198.51.100.1, 10.0.0.5, 192.0.2.1', '192.0.2.1'],
    ['that is a proxy itself', '10.0.0.2', '10.0.0.5', '10.0.0.5'],
    ['hidden by its proxy', '10.0.0.2', '198.51.100.1, unknown', '10.0.0.2'],
    ['hidden by the farther proxy', '10.0.0.2', '198.51.100.1, _gone, 10.0.0.5', '10.0.0.5'],
    ['that is garbage', '10.0.0.2', '192.0.2.1, <script>', '10.0.0.2'],
    ['of a peer that is gone', undefined, '192.0.2.1', ''],
    ['on a Unix socket', '/run/x.sock', '192.0.2.1', ''],
  ])('%s', (_, peer, forwardedFor, address) => {
    expect(addressOf(peer, forwardedFor).address).toBe(address)
  })

  it('is found in a header of any length', () => {
    const long = `198.51.100.1, ${'10.0.0.5, '.repeat(5000)}10.0.0.5`
    expect(addressOf('10.0.0.2', long).address).toBe('10.0.0.5')
  })

  it('is the nearest address when everybody is trusted', () => {
    expect(addressOf('10.0.0.2', '198.51.100.1, 192.0.2.1', ['0.0.0.0/0']).address).toBe(
      '192.0.2.1',
    )
  })

  it.each(['10.0.0.0/8', '10.0.0.0/24', '10.0.0.0/31', '::ffff:10.0.0.0/104', '8.0.0.0/6'])(
    'cannot hide behind a made-up address inside %s',
    (network) => {
      expect(addressOf('10.0.0.2', '198.51.100.1, 10.0.0.1', [network, '10.0.0.2']).address).toBe(
        '10.0.0.1',
      )
    },
  )

  it.each(['10.0.0.1', '10.0.0.1/32', '::ffff:10.0.0.1', '::ffff:10.0.0.1/128'])(
    'is looked for behind a proxy that is listed as %s',
    (entry) => {
      expect(addressOf('10.0.0.2', '198.51.100.1, 10.0.0.1', [entry, '10.0.0.2']).address).toBe(
        '198.51.100.1',
      )
    },
  )

  it('a forwarder that is trusted only as part of a private network is named in the log', () => {
    const { emitted } = addressOf('10.0.0.2', '198.51.100.1, 172.18.0.9')
    expect(emitted).toEqual([{ event: 'proxy-unlisted', address: '172.18.0.9' }])
    expect(addressOf('10.0.0.2', '172.18.0.9').emitted).toEqual([])
  })
})

it('at4, T38: a client inside TRUSTED_PROXIES cannot choose its limit by what it forwards', async () => {
  const { app } = await buildTestApp({ rateLimit: 3, trustedProxies: ['10.0.0.0/8'] })
  const statuses: number[] = []
  for (let i = 0; i < 4; i += 1) {
    const headers = { 'x-forwarded-for': `198.51.100.${i}, 10.1.2.3` }
    const request = { method: 'POST', url: '/token', remoteAddress: '10.0.0.2', headers } as const
    statuses.push((await app.inject(request)).statusCode)
  }
  expect(statuses.slice(0, 3)).not.toContain(429)
  expect(statuses[3]).toBe(429)
})

it('ed24: a proxy on an IPv6 socket is trusted by its IPv4 address, and counted by it', async () => {
  const { app, logs } = await buildTestApp({ rateLimit: 1, trustedProxies: ['127.0.0.1'] })
  const address = await app.listen({ host: await hostToBind('::'), port: 0 })
  const at = `http://127.0.0.1:${new URL(address).port}`
  expect((await fetch(`${at}/auth/traefik`)).status).toBe(403)
  expect(logs.filter(({ peer }) => peer !== undefined)).toEqual([])
  const statusFor = async (client: string) =>
    (await fetch(`${at}/token`, { method: 'POST', headers: { 'x-forwarded-for': client } })).status
  expect([await statusFor('192.0.2.1'), await statusFor('::ffff:192.0.2.1')]).toEqual([401, 429])
})

/** T9: the fetch of documents that strangers name, over real sockets and a real name server. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { publicAddresses } from '../../src/outbound/address-rules.ts'
import type { FetchDocument } from '../../src/outbound/document-fetch.ts'
import { createGuardedFetch } from '../../src/outbound/guarded-fetch.ts'
import { createDnsResolver } from '../../src/outbound/resolvers.ts'
import { afterTest } from '../support/clean-ups.ts'
import { startDnsServer } from '../support/dns-server.ts'

const NAME = 'client.example.com'

/** A server at an address of loopback that tells which address it was reached at. */
async function startServer(
  address = '127.0.0.1',
  port = 0,
): Promise<{ port: number; hits: string[] }> {
  const hits: string[] = []
  const server = createServer((request, response) => {
    hits.push(`${request.socket.localAddress}`)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"read":true}')
  })
  server.listen(port, address)
  await once(server, 'listening')
  afterTest(() => server.close())
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('no TCP port')
  return { port: bound.port, hits }
}

const get = (fetch: FetchDocument, url: string) => fetch(new URL(url), { maxBytes: 5000 })
const PUBLIC = publicAddresses({ loopback: false })

describe('a name', () => {
  const inner = [
    '127.0.0.1',
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.168.1.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2001:0:5ef5:79fd:0:0:0:1',
  ]
  it.each(inner)('that is at %s is not connected to', async (address) => {
    const { port, hits } = await startServer()
    const dns = await startDnsServer((_name, type) =>
      (type === 'AAAA') === address.includes(':') ? [address] : [],
    )
    const resolve = createDnsResolver({ servers: [dns.address] })
    const fetch = createGuardedFetch({ resolve, mayConnect: PUBLIC })
    await expect(get(fetch, `https://${NAME}:${port}/x`)).rejects.toThrow(/not allowed/)
    expect(hits).toEqual([])
  })

  it('with one inner address among public ones is not connected to at all', async () => {
    const dns = await startDnsServer((_name, type) =>
      type === 'A' ? ['93.184.216.34', '10.0.0.1'] : ['2606:4700::1'],
    )
    const resolve = createDnsResolver({ servers: [dns.address] })
    const fetch = createGuardedFetch({ resolve, mayConnect: PUBLIC })
    await expect(get(fetch, `https://${NAME}/x`)).rejects.toThrow(/not allowed: 10\.0\.0\.1/)
  })

  it('is asked for once: the connection goes to the address that was judged (DNS rebinding)', async () => {
    const judged = await startServer('127.0.0.2')
    const second = await startServer('127.0.0.3', judged.port)
    const dns = await startDnsServer((_name, type, nth) =>
      type === 'A' ? [nth === 1 ? '127.0.0.2' : '127.0.0.3'] : [],
    )
    const fetch = createGuardedFetch({
      resolve: createDnsResolver({ servers: [dns.address] }),
      mayConnect: (address) => address === '127.0.0.2',
    })
    const { text } = await get(fetch, `http://${NAME}:${judged.port}/x`)
    expect(text).toBe('{"read":true}')
    expect(judged.hits).toEqual(['127.0.0.2'])
    expect(second.hits).toEqual([])
    expect(dns.asked.filter((question) => question.startsWith('A '))).toHaveLength(1)
  })

  it('of the hosts file means nothing to it', async () => {
    const dns = await startDnsServer(() => [])
    const resolve = createDnsResolver({ servers: [dns.address] })
    await expect(resolve('ip6-localhost.', AbortSignal.timeout(3000))).rejects.toThrow()
    await expect(resolve(NAME, AbortSignal.timeout(3000))).rejects.toThrow()
  })

  it('whose server never answers ends the fetch in time', async () => {
    const dns = await startDnsServer(() => undefined)
    const resolve = createDnsResolver({ servers: [dns.address] })
    const fetch = createGuardedFetch({ resolve, mayConnect: PUBLIC, timeoutMs: 200 })
    await expect(get(fetch, `https://${NAME}/x`)).rejects.toThrow(/in time/)
  })

  it('of this machine is one without a name server, and only where it is allowed', async () => {
    const { port, hits } = await startServer()
    const dns = await startDnsServer(() => ['127.0.0.1'])
    const resolve = createDnsResolver({ servers: [dns.address] })
    const open = createGuardedFetch({ resolve, mayConnect: publicAddresses({ loopback: true }) })
    const closed = createGuardedFetch({ resolve, mayConnect: PUBLIC })
    for (const name of ['localhost', 'a.localhost', '127.0.0.1']) {
      expect((await get(open, `http://${name}:${port}/`)).text).toBe('{"read":true}')
      await expect(get(closed, `http://${name}:${port}/`)).rejects.toThrow(/not allowed/)
    }
    // A name of the DNS that points here is a stranger's.
    await expect(get(open, `http://${NAME}:${port}/`)).rejects.toThrow(/not allowed/)
    expect(hits).toHaveLength(3)
    expect(new Set(dns.asked.map((question) => question.split(' ')[1]))).toEqual(new Set([NAME]))
  })
})

describe('a fetch', () => {
  const loopback = createGuardedFetch({
    resolve: createDnsResolver(),
    mayConnect: publicAddresses({ loopback: true }),
    timeoutMs: 300,
  })

  async function answering(
    answer: (write: (text: string) => void, end: () => void) => void,
  ): Promise<string> {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      answer(
        (text) => response.write(text),
        () => response.end(),
      )
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    afterTest(() => {
      server.closeAllConnections()
      server.close()
    })
    const bound = server.address()
    if (bound === null || typeof bound === 'string') throw new Error('no TCP port')
    return `http://127.0.0.1:${bound.port}/`
  }

  it('of plain http leaves this machine for nobody', async () => {
    const fetch = createGuardedFetch({
      resolve: async () => ['93.184.216.34'],
      mayConnect: () => true,
    })
    await expect(get(fetch, `http://${NAME}/x`)).rejects.toThrow('plain http')
  })

  it('ends in time although the body never does', async () => {
    const url = await answering((write) => write('{'))
    await expect(get(loopback, url)).rejects.toThrow(/in time/)
  })

  it('ends at the limit although the body is endless', async () => {
    const url = await answering((write) => {
      for (let i = 0; i < 100; i += 1) write('x'.repeat(1000))
    })
    await expect(get(loopback, url)).rejects.toThrow(/larger than 5000 bytes/)
  })

  it('knows no proxy of the environment', async () => {
    const proxy = await startServer()
    const before = { ...process.env }
    afterTest(() => {
      process.env = before
    })
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy']) {
      process.env[name] = `http://127.0.0.1:${proxy.port}`
    }
    process.env.NODE_USE_ENV_PROXY = '1'
    const url = await answering((write, end) => {
      write('{"direct":true}')
      end()
    })
    expect((await get(loopback, url)).text).toBe('{"direct":true}')
    expect(proxy.hits).toEqual([])
  })
})

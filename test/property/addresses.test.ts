/**
 * Addresses in headers and parameters: a client cannot choose where it seems to come from, which server it asks for, or
 * where an answer leads.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nginx } from '../../src/forward-auth/contracts/nginx.ts'
import { createClientAddress } from '../../src/http/client-address.ts'
import { createAddressMap } from '../../src/proxy/address-map.ts'
import { createResourceTable, type Resource } from '../../src/resources/resource-table.ts'
import { ANYONE, resource } from '../support/build-app.ts'
import { recordEvents } from '../support/recorded-events.ts'
import { bounded } from './runs.ts'

const table = createResourceTable([
  resource({ upstream: 'http://inner.internal:3000/mcp' }),
  resource({ id: 'labs', url: 'https://*.labs.example.com/mcp', allow: ANYONE }),
])

describe('X-Forwarded-For', () => {
  const proxies = ['127.0.0.1', '10.0.0.1', '10.0.0.2']
  const addressOf = createClientAddress({ trustedProxies: proxies, events: recordEvents() })
  const said = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom(...proxies, 'unknown', '', '_hidden', '127.0.0.1:80'),
    fc.string({ maxLength: 10 }),
  )
  const from = (header: string, remoteAddress: string) =>
    addressOf({ headers: { 'x-forwarded-for': header }, socket: { remoteAddress } })

  it('counts from the right: all that a client wrote itself changes nothing', () => {
    const hops = fc.array(fc.constantFrom('10.0.0.1', '10.0.0.2'), { maxLength: 4 })
    fc.assert(
      fc.property(fc.array(said, { maxLength: 20 }), hops, (written, through) => {
        const header = [...written, '203.0.113.7', ...through].join(', ')
        expect(from(header, '127.0.0.1')).toBe('203.0.113.7')
        // A stranger who asks us directly is no proxy.
        expect(from(header, '198.51.100.9')).toBe('198.51.100.9')
      }),
      bounded(),
    )
  })
})

describe("nginx's question", () => {
  it('names host and path of the URL that it gives, or none', () => {
    const url = fc.oneof(
      fc.webUrl({ withQueryParameters: true }),
      fc.stringMatching(/^https?:\/\/[\x21-\x7e]{0,30}$/),
      fc.tuple(fc.webUrl(), fc.string({ maxLength: 10 })).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(url, (text) => {
        const rawHeaders = ['X-Original-URL', text, 'X-Original-Method', 'POST']
        const located = nginx.locate(Object.assign(Object.create(null), { rawHeaders }))
        if ('problem' in located) return
        expect(text).toBe(
          `${text.slice(0, text.indexOf('//') + 2)}${located.host}${located.target}`,
        )
        expect(located.host).not.toMatch(/[/?#@\\\s]/)
        expect(located.target.startsWith('/')).toBe(true)
      }),
      bounded(),
    )
  })
})

describe('a resource parameter', () => {
  const url = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('https', 'http', 'HTTPS', 'ftp'),
        fc.constantFrom(
          'mcp.example.com',
          'MCP.example.com.',
          'a.labs.example.com',
          'labs.example.com',
        ),
        fc.constantFrom('', ':443', ':8443', '@evil.example'),
        fc.constantFrom(
          '',
          '/',
          '/notes/mcp',
          '/notes/mcp/',
          '/notes/mcpx',
          '/mcp',
          '/notes/../mcp',
        ),
        fc.string({ maxLength: 5 }),
      )
      .map(([scheme, host, port, path, tail]) => `${scheme}://${host}${port}${path}${tail}`),
    fc.webUrl(),
    fc.string({ maxLength: 30 }),
  )

  it('means a server only at its host, and at its path or below', () => {
    fc.assert(
      fc.property(url, (text) => {
        const found = table.byIndicator(text)
        if (!found) return
        const { hostname, pathname, username } = new URL(text)
        expect(username).toBe('')
        expect(new URL(found.url).hostname).toBe(hostname.replace(/\.$/, ''))
        if (pathname !== '/') expect(`${pathname}/`.startsWith(`${found.path}/`)).toBe(true)
      }),
      bounded(3),
    )
  })
})

describe('an address in an answer of a server behind us', () => {
  const proxied = (found: Resource | undefined) => {
    if (!found?.upstream) throw new Error('no upstream')
    return createAddressMap({ ...found, upstream: found.upstream }, () => false)
  }
  const map = proxied(table.all[0])
  const address = fc.oneof(
    fc
      .tuple(
        fc.constantFrom(
          'http://inner.internal:3000',
          'https://INNER.internal:3000',
          '//inner.internal:3000',
          '',
        ),
        fc.constantFrom('/', '/mcp', '/mcp/', '//evil.example', '/\\evil.example', '/a/../mcp', ''),
        fc.string({ maxLength: 8 }),
      )
      .map((parts) => parts.join('')),
    fc.webUrl(),
    fc.string({ maxLength: 20 }),
  )

  it('never shows the inner address, and leads nowhere else than the server meant', () => {
    fc.assert(
      fc.property(address, (text) => {
        const shown = map.toClient(text, '/mcp')
        if (shown === undefined) return
        const meant = new URL(
          Buffer.from(text, 'latin1').toString(),
          'http://inner.internal:3000/mcp',
        )
        const seen = new URL(
          Buffer.from(shown, 'latin1').toString(),
          'https://mcp.example.com/notes/mcp',
        )
        expect(seen.host).not.toBe('inner.internal:3000')
        const isInner = meant.host === 'inner.internal:3000'
        if (isInner) expect(seen.host).toBe('mcp.example.com')
        else expect(shown).toBe(text)
      }),
      bounded(3),
    )
  })
})

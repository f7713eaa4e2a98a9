import { describe, expect, it } from 'vitest'
import { createResourceTable } from '../../src/resources/resource-table.ts'
import { resource } from '../support/build-app.ts'

type Configured = Parameters<typeof resource>[0]

const tableOf = (configured: readonly Configured[], publicUrl = 'https://auth.example.com') =>
  createResourceTable(
    configured.map((one) => resource(one)),
    { publicUrl },
  )

/** The id, the address and the audience at an address. */
function placed(table: ReturnType<typeof tableOf>, url: string) {
  const { host, pathname } = new URL(url)
  const match = table.match(host, pathname)
  if (typeof match === 'string') return match
  const { id, url: address, audience } = match.resource
  return [id, address, audience]
}

describe('cl11: a server on loopback answers to every name of this machine', () => {
  const NAMES = ['localhost', '127.0.0.1', '[::1]']

  it.each(NAMES.flatMap((own) => NAMES.map((asked) => [own, asked])))(
    'configured for %s and asked as %s',
    (own, asked) => {
      const url = `http://${own}:8080/mcp`
      const table = tableOf([{ id: 'notes', url }], `http://${own}:8080`)
      const address = `http://${asked}:8080/mcp`
      expect(placed(table, `${address}/deeper`)).toEqual(['notes', address, url])
      expect(table.byIndicator(address)?.audience).toBe(url)
    },
  )

  it.each([
    ['another port', 'http://127.0.0.1:8081/mcp'],
    ['another address of the machine', 'http://127.0.0.2:8080/mcp'],
    ['a longer name', 'http://localhost.example.com:8080/mcp'],
    ['another path', 'http://127.0.0.1:8080/other'],
  ])('but not to %s', (_what, asked) => {
    expect(placed(tableOf([{ id: 'notes', url: 'http://localhost:8080/mcp' }]), asked)).toBe(
      'unknown',
    )
  })

  it('unless the name is configured for another server', () => {
    const table = tableOf([
      { id: 'notes', url: 'http://localhost:8080/mcp' },
      { id: 'other', url: 'http://127.0.0.1:8080/other' },
    ])
    expect(placed(table, 'http://127.0.0.1:8080/mcp')).toBe('unknown')
    expect(placed(table, 'http://[::1]:8080/mcp')).toContain('notes')
    expect(placed(table, 'http://[::1]:8080/other')).toContain('other')
  })

  it('unless the name is that of the login, whose pages it would cover', () => {
    const table = tableOf([{ id: 'app', url: 'http://localhost:8080' }], 'http://127.0.0.1:8080')
    expect(placed(table, 'http://127.0.0.1:8080/login')).toBe('unknown')
    expect(table.isOurHostShared).toBe(false)
  })
})

describe('cl11: a server with further addresses', () => {
  const url = 'https://mcp.example.test/mcp'
  const inner = 'http://gatewarden:11000/mcp'
  const aliases = [inner, 'https://old.example.test/notes']
  const table = tableOf([
    { id: 'notes', url, aliases, also: ['/messages'] },
    { id: 'wiki', url: 'https://wiki.example.test' },
  ])

  it.each([
    [url, url],
    [inner, inner],
    [`${inner}/tools`, inner],
    ['https://old.example.test/notes', 'https://old.example.test/notes'],
    ['http://gatewarden:11000/messages', inner],
  ])('is found at %s', (asked, address) => {
    expect(placed(table, asked)).toEqual(['notes', address, url])
  })

  it.each([
    'http://gatewarden:11000/other',
    'http://gatewarden/mcp',
    'https://old.example.test/mcp',
  ])('is not at %s', (asked) => {
    expect(placed(table, asked)).toBe('unknown')
  })

  it('is one resource to whoever counts them', () => {
    expect(table.all.map(({ id }) => id)).toEqual(['notes', 'wiki'])
    expect(table.onlyOneAt('gatewarden:11000')?.url).toBe(inner)
    expect(table.byAudience(url)?.url).toBe(url)
    expect(table.byAudience(inner)).toBeUndefined()
    const alone = tableOf([{ id: 'notes', url, aliases }])
    expect(alone.fallback?.url).toBe(url)
  })

  it('counts once on a host where it has two addresses', () => {
    const twice = tableOf([{ id: 'notes', url, aliases: ['https://mcp.example.test/old'] }])
    expect(twice.onlyOneAt('mcp.example.test')?.url).toBe(url)
    expect(placed(twice, 'https://mcp.example.test/old/x%2Fy')).toContain('notes')
  })

  it('has its open paths at the same place below each address, and no further ones', () => {
    const open = tableOf([
      {
        id: 'app',
        url: 'https://app.example.test/app',
        aliases: ['http://inner:1', 'http://other:2/x'],
        also: ['/messages'],
        openPaths: ['/app/health', '/app/assets/*', '/messages/ping'],
      },
    ])
    const isOpen = (host: string, path: string) => {
      const match = open.match(host, path)
      return typeof match === 'string' ? match : match.resource.isOpen(path)
    }
    for (const path of ['/health', '/assets/x.css', '/messages/ping']) {
      expect(isOpen('inner:1', path), path).toBe(true)
    }
    for (const path of ['/app/health', '/app/assets/x.css', '/messages']) {
      expect(isOpen('inner:1', path), path).toBe(false)
    }
    expect(isOpen('other:2', '/x/health')).toBe(true)
    expect(isOpen('other:2', '/x/app/health')).toBe(false)
    expect(isOpen('app.example.test', '/app/health')).toBe(true)
  })

  it('shares our host if one of them is there', () => {
    const shared = tableOf([{ id: 'notes', url, aliases: ['https://auth.example.com/mcp'] }])
    expect(shared.isOurHostShared).toBe(true)
    expect(shared.byIndicator('https://auth.example.com/mcp')?.sharedHost).toBe('unguarded')
  })
})

it.each([
  ['127.0.0.1:11000', '/mcp', 'https://mcp.example.test/mcp'],
  ['wiki.example.test:8080', '/mcp', 'https://wiki.example.test'],
  ['mcp.example.test', '/', 'https://mcp.example.test/mcp'],
  ['mcp.example.test', '/notes/deeper?q=/mcp', 'https://mcp.example.test/notes'],
  ['nothing alike', '*', 'https://mcp.example.test/mcp'],
])('cl11: the configured address nearest to %s%s is %s', (host, target, nearest) => {
  const table = tableOf([
    { id: 'mcp', url: 'https://mcp.example.test/mcp' },
    { id: 'notes', url: 'https://mcp.example.test/notes' },
    { id: 'wiki', url: 'https://wiki.example.test' },
  ])
  expect(table.nearest(host, target)).toBe(nearest)
})

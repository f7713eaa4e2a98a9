/**
 * Spellings of a path that servers read differently: never a way to another resource, and no obstacle where there is
 * none (decision K18 with at16 and ed7).
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { createResourceTable } from '../../src/resources/resource-table.ts'
import { resource } from '../support/build-app.ts'

const at = (id: string, url: string, also: string[] = []) => resource({ id, url, also })
const table = createResourceTable(
  [
    at('outer', 'https://mcp.example.test/mcp'),
    at('admin', 'https://mcp.example.test/mcp/admin'),
    at('legacy', 'https://mcp.example.test/mcp/sse', ['/mcp/old/messages']),
    at('wiki', 'https://wiki.example.test'),
    at('page', 'https://one.example.test/wiki'),
    at('host', 'https://both.example.test'),
    at('part', 'https://both.example.test/part'),
    at('own', 'https://auth.example.test'),
  ],
  { publicUrl: 'https://auth.example.test' },
)

function idAt(host: string, target: string): string {
  const match = table.match(`${host}.example.test`, target)
  return typeof match === 'string' ? match : match.resource.id
}

describe('at16, T50: the other spelling of a nested resource', () => {
  it.each([
    '/mcp/adm%c4%b1n',
    '/mcp/adm%c4%b0n',
    '/mcp/ad%C2%ADmin',
    '/mcp/%E2%80%8Badmin',
    '/mcp/admin%EF%BB%BF',
    '/mcp/admin%C2%85',
    '/mcp/%c0%ae%c0%ae/admin',
    '/mcp/admin::$DATA',
    '/mcp/ADMIN~1',
    '/mcp/ADMIN~1/x',
    '/mcp/ADMIN~1.TXT',
    '/mcp/%e1%ba%a1dmin',
    '/mcp/Admin',
    '/mcp/admin.',
    '/mcp/admin...',
    '/mcp//admin',
    '/mcp///admin',
    '/mcp//',
    '/mcp/;/admin',
    '/mcp/;admin',
    '/mcp/admin;x',
    '/mcp;x/admin',
    '/mcp/%2fadmin',
    '/mcp%2fadmin',
    '/mcp/x%2f..%2fadmin',
    '/mcp/x/..%2fadmin',
    '/mcp/x/y/..%252f..%252fadmin',
    '/mcp/x/..;/admin',
    '/mcp/x/%c0%ae%c0%ae/admin',
    '/mcp/x/%EF%BC%8E%EF%BC%8E/admin',
    '/mcp/x/%EF%BC%8E%EF%BC%8E%EF%BC%8Fadmin',
    '/mcp/x/.%E2%80%8B./admin',
    '/mcp/x/%E2%80%A5/admin',
    '/mcp/x/..%5cadmin',
    '/mcp/x/..%3f/admin',
    '/mcp/x/..%20/admin',
    '/mcp/%2561dmin',
    '/mcp/a%2564min',
    '/mcp/x/%25u002e%25u002e/admin',
    '/mcp/@dmin',
    '/mcp/old:/messages',
    '/mcp/old/messages%20',
  ])('%s is refused', (path) => {
    expect(idAt('mcp', path)).toBe('ambiguous')
  })

  it.each([
    ['/mcp/tools', 'outer'],
    ['/mcp/tools/', 'outer'],
    ['/mcp/a-b_c.d~e/~user', 'outer'],
    ['/mcp/%74ools', 'outer'],
    ['/mcp/admin', 'admin'],
    ['/mcp/%61dmin', 'admin'],
    ['/mcp/admin/@x', 'admin'],
    ['/mcp/admin/a%2Fb;c//d', 'admin'],
    ['/mcp/old/messages/@x', 'legacy'],
    ['/mcp/old/other/@x', 'outer'],
    ['/mcp/x/y/@scope%2fpkg', 'outer'],
    ['/mcp/x/y/C%23', 'outer'],
    ['/mcp/x/y/a;b//c', 'outer'],
  ])('%s is plain as far down as another resource lies, and belongs to %s', (path, id) => {
    expect(idAt('mcp', path)).toBe(id)
  })

  it('is plain or refused for each character, wherever it stands', () => {
    const isPlainCharacter = (character: string) => /^[A-Za-z0-9._~-]$/.test(character)
    const points = [...Array(0x3000).keys(), ...range(0xfb00, 0x10000), ...range(0x1d400, 0x1d800)]
    for (const point of points.filter((each) => each < 0xd800 || each > 0xdfff)) {
      const character = String.fromCodePoint(point)
      const escaped = [...new TextEncoder().encode(character)]
        .map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
        .join('')
      for (const path of [
        `/mcp/${escaped}admin`,
        `/mcp/adm${escaped}in`,
        `/mcp/admin${escaped}`,
        `/mcp/${escaped}`,
        `/mcp/adm${escaped}n`,
      ]) {
        const id = idAt('mcp', path)
        if (!isPlainCharacter(character)) expect(id, path).toBe('ambiguous')
        // A plain character makes another word, or the very word.
        else expect(['outer', 'ambiguous', 'admin'], path).toContain(id)
        if (id === 'admin') expect(path.replace(/%(\w\w)/, hexToText)).toBe('/mcp/admin')
      }
    }
  })
})

describe('no spelling of a path that we let through to the outer resource', () => {
  /** What a server may do to a path before it looks for a handler; each step is known from a real one. */
  const STEPS: readonly ((path: string) => string)[] = [
    (path) => path.replace(/%([0-9a-f]{2})/gi, hexToText),
    (path) => decodeUtf8(path),
    (path) => path.replace(/;[^/]*/g, ''),
    (path) => path.replace(/\/{2,}/g, '/'),
    (path) => path.replaceAll('\\', '/'),
    (path) => path.toLowerCase(),
    (path) => path.normalize('NFKC'),
    (path) => path.normalize('NFD').replace(/\p{M}/gu, ''),
    (path) => path.replace(/[. ]+(?=\/|$)/g, ''),
    (path) => path.replace(/[?#].*$/, ''),
    (path) => path.replace(/[\0\s\p{Default_Ignorable_Code_Point}]/gu, ''),
    (path) => path.replace(/::\$data/gi, ''),
    (path) => path.replace(/~1/g, 'n'),
    (path) => resolveDots(path),
  ]
  const PIECES = [
    ...['admin', 'ADMIN', 'adm', 'in', 'i', 'n', 'x', '.', '..', '/', '//', ';', ';x', '@', '~1'],
    ...['%2f', '%2F', '%5c', '%2e', '%252e', '%252f', '%25', '%3b', '%3f', '%23', '%20', '%61'],
    ...[
      '%c4%b1',
      '%c2%ad',
      '%ef%bc%8f',
      '%ef%bc%8e',
      '%e2%80%8b',
      '::$DATA',
      '%EF%BB%BF',
      '%c0%ae',
    ],
  ]

  /** Tries made-up paths that belong to a resource, each as many servers may read it. Each run tries the same. */
  function readingsOf(host: string, { below, id }: { below: string; id: string }) {
    let seed = 20_261_129
    const next = (limit: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * limit)
    }
    const readings: { path: string; read: string }[] = []
    for (let round = 0; round < 20_000; round += 1) {
      const pieces = Array.from({ length: 1 + next(7) }, () => PIECES[next(PIECES.length)] ?? '')
      const path = `${below}/${pieces.join('')}`
      if (idAt(host, path) !== id) continue
      for (let reader = 0; reader < 8; reader += 1) {
        let read = path
        for (let step = 0; step < 8; step += 1) read = STEPS[next(STEPS.length)]?.(read) ?? read
        readings.push({ path, read })
      }
    }
    expect(readings.length).toBeGreaterThan(1000)
    return readings
  }

  it('at16, T50: leads a forgiving server to the nested one', () => {
    const readings = readingsOf('mcp', { below: '/mcp', id: 'outer' })
    expect(readings.filter(({ read }) => /^\/mcp\/admin(?:\/|$)/.test(read))).toEqual([])
  })

  it('at16, T50: leads a forgiving server from deeper down to the nested one', () => {
    const readings = readingsOf('mcp', { below: '/mcp/x/y', id: 'outer' })
    expect(readings.filter(({ read }) => !/^\/mcp\/x\/y(?:\/|$)/.test(read))).toEqual([])
  })

  it('ed7: leads a forgiving server above the only resource of a host', () => {
    const readings = readingsOf('one', { below: '/wiki', id: 'page' })
    expect(readings.filter(({ read }) => !/^\/wiki(?:\/|$)/.test(read))).toEqual([])
  })
})

const ORDINARY = [
  '/wiki/C%23',
  '/files/100%25.txt',
  '/q/what%3F',
  '/api/queues/%2F/jobs',
  '/@scope%2fpkg',
  '/job/a;b',
  '/wiki//page',
  '/wiki/a%5Cb',
  '/wiki/a%3Bb',
  '//page',
  '/wiki//',
  '/caf%C3%A9/%E4%B8%AD',
  '/latin/caf%E9',
  '/ADMIN~1/x.',
  '/%252F',
]

describe('ed7: an ordinary escape, a semicolon or a double slash', () => {
  it.each(ORDINARY)('%s passes where one resource owns the whole host', (path) => {
    expect(idAt('wiki', path)).toBe('wiki')
  })

  it.each(ORDINARY)('%s passes below a path that is a resource’s own', (path) => {
    expect(idAt('one', `/wiki${path}`)).toBe('page')
  })

  it.each(ORDINARY.filter((path) => !/^\/(?:wiki|files|q|api|job|latin)\//.test(path)))(
    '%s is refused beside another resource',
    (path) => {
      expect(idAt('both', path)).toBe('ambiguous')
    },
  )

  it.each(['//page', '/%2Flogin', '/login;x', '/@scope%2fpkg'])(
    '%s is refused where it may be a page of ours',
    (path) => {
      expect(idAt('auth', path)).toBe('ambiguous')
      expect(idAt('auth', `/files${path}`)).toBe('own')
    },
  )

  it.each([
    '/wiki/a%2F..%2F..%2Fadmin',
    '/wiki/..%2fadmin',
    '/wiki/%2e%2e/admin',
    '/wiki/..;/admin',
    '/wiki/.%2e;x/admin',
    '/wiki/%252e%252e%252fadmin',
    '/wiki/%25252525252e',
    '/wiki/..%5cadmin',
    '/wiki/%00',
    '/wiki/%2500',
    '/wiki/%0a',
    '/wiki/%7f',
    '/wiki/..',
    '/wiki/./x',
    '/wiki/%zz',
    '/wiki/%',
    '/wiki/caf\u00e9',
    '/wiki/\\x',
    '/wiki/x#y',
    '/wiki/%c0%ae%c0%ae/x',
    '/wiki/%EF%BC%8E%EF%BC%8E/x',
  ])('%s stays refused everywhere', (path) => {
    for (const host of ['wiki', 'one', 'both', 'auth'])
      expect(idAt(host, path), host).toBe('ambiguous')
  })

  it.each(['/wiki;x/page', '/wiki%2Fpage', '//wiki/page', '/wiki%3Bx'])(
    '%s is not below the path of a resource',
    (path) => {
      expect(idAt('one', path)).toBe('ambiguous')
    },
  )

  it('takes no longer for a longer path', () => {
    const started = performance.now()
    for (const unit of [
      '%CC%81%CC%96',
      ';',
      '/',
      '%25',
      '%2525',
      '. ',
      '%20',
      '.%20',
      '%EF%BC%8E',
    ]) {
      idAt('wiki', `/${unit.repeat(60_000 / unit.length)}`)
    }
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

const hexToText = (_all: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))

const decodeUtf8 = (path: string) =>
  path.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  )

function resolveDots(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

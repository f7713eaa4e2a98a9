import { describe, expect, it } from 'vitest'
import { createResourceTable } from '../../src/resources/resource-table.ts'
import { resource } from '../support/build-app.ts'

const at = (id: string, url: string, also: string[] = []) => resource({ id, url, also })
const table = createResourceTable([
  at('notes', 'https://mcp.example.com/notes/mcp'),
  at('deep', 'https://mcp.example.com/notes/mcp/deep'),
  at('legacy', 'https://mcp.example.com/sse', ['/messages']),
  at('admin', 'https://mcp.example.com/admin'),
  at('whole', 'https://whole.example.com'),
  at('below', 'https://whole.example.com/below'),
  at('ported', 'https://ported.example.com:8443/mcp'),
  at('local', 'http://localhost:3000/mcp'),
  at('lone', 'https://lone.example.com/mcp'),
  at('tenant', 'https://*.tenants.example.com/mcp'),
  at('special', 'https://special.tenants.example.com/mcp'),
  at('site', 'https://site.example.com'),
  at('at', 'https://site.example.com/@team'),
  at('escaped', 'https://site.example.com/%28old%29'),
  at('cafe', 'https://site.example.com/caf%C3%A9', ['/(menu)']),
  at('below-at', 'https://site.example.com/@team/(x)'),
])

function idAt(host: string, target: string): string {
  const match = table.match(host, target)
  return typeof match === 'string' ? match : match.resource.id
}

describe('a request belongs to', () => {
  it.each([
    ['its own URL', 'mcp.example.com', '/notes/mcp', 'notes'],
    ['what is below', 'mcp.example.com', '/notes/mcp/x', 'notes'],
    ['its URL with a final slash', 'mcp.example.com', '/notes/mcp/', 'notes'],
    ['the URL, its query set aside', 'mcp.example.com', '/notes/mcp?a=/../b&c=%2f', 'notes'],
    ['nothing beside a segment boundary', 'mcp.example.com', '/notes/mcpx', 'unknown'],
    ['nothing above', 'mcp.example.com', '/notes', 'unknown'],
    ['nothing in another case of the path', 'mcp.example.com', '/Notes/mcp', 'unknown'],
    ['the longest that covers it', 'mcp.example.com', '/notes/mcp/deep/x', 'deep'],
    ['the shorter one beside a boundary', 'mcp.example.com', '/notes/mcp/deeper', 'notes'],
    ['an also-path', 'mcp.example.com', '/messages', 'legacy'],
    ['what is below an also-path', 'mcp.example.com', '/messages/1?session=2', 'legacy'],
    ['nothing beside an also-path', 'mcp.example.com', '/messages1', 'unknown'],
    ['a whole host', 'whole.example.com', '/anything/at/all', 'whole'],
    ['the root of a whole host', 'whole.example.com', '/', 'whole'],
    ['the longer one of a whole host', 'whole.example.com', '/below/x', 'below'],
    ['a path with a dot in it', 'whole.example.com', '/.hidden/a..b/...', 'whole'],
  ])('%s', (_what, host, target, id) => {
    expect(idAt(host, target)).toBe(id)
  })

  it.each([
    ['MCP.EXAMPLE.com', 'notes'],
    ['mcp.example.com.', 'notes'],
    ['mcp.example.com:443', 'notes'],
    ['mcp.example.com:80', 'notes'],
    ['Mcp.Example.Com.:443', 'notes'],
    ['mcp.example.com:8443', 'unknown'],
    ['mcp.example.com..', 'unknown'],
    ['mcp.example.com:', 'unknown'],
    ['example.com', 'unknown'],
    ['x.mcp.example.com', 'unknown'],
    ['', 'unknown'],
    ['mcp.example.com,evil.test', 'unknown'],
    ['mcp.example.com evil.test', 'unknown'],
    ['user@mcp.example.com', 'unknown'],
    ['mcp.example.com/notes', 'unknown'],
    ['mcp.exampl\u0435.com', 'unknown'],
  ])('CVE-2026-48794: host %j is %s', (host, id) => {
    expect(idAt(host, '/notes/mcp')).toBe(id)
  })

  it.each([
    ['ported.example.com:8443', 'ported'],
    ['PORTED.example.com.:8443', 'ported'],
    ['ported.example.com', 'unknown'],
    ['localhost:3000', 'local'],
    ['localhost', 'unknown'],
  ])('a port that is none of the default ones counts: %s is %s', (host, id) => {
    expect(idAt(host, '/mcp')).toBe(id)
  })

  it.each([
    ['one label', 'acme.tenants.example.com', 'tenant'],
    ['one label in capitals', 'ACME.Tenants.Example.Com.:443', 'tenant'],
    ['one label, but there is a resource of its own', 'special.tenants.example.com', 'special'],
    ['two labels', 'a.b.tenants.example.com', 'unknown'],
    ['no label', 'tenants.example.com', 'unknown'],
    ['an empty label', '.tenants.example.com', 'unknown'],
    ['a label of which the suffix is only a part', 'xtenants.example.com', 'unknown'],
    ['the star itself', '*.tenants.example.com', 'unknown'],
    ['another port', 'acme.tenants.example.com:8443', 'unknown'],
  ])('a wildcard that stands for %s', (_what, host, id) => {
    expect(idAt(host, '/mcp')).toBe(id)
  })

  it('a wildcard with the concrete host as its audience', () => {
    const match = table.match('ACME.tenants.example.com', '/mcp/x')
    expect(match).toMatchObject({
      resource: { id: 'tenant', audience: 'https://acme.tenants.example.com/mcp' },
      path: '/mcp/x',
    })
  })
})

describe('CVE-2025-66490: an escaped path', () => {
  it.each([
    ['/%61dmin', 'admin'],
    ['/admi%6E/x', 'admin'],
    ['/admin/%7Euser', 'admin'],
    ['/admin/caf%C3%A9%20noir', 'admin'],
    ['/%2561dmin', 'ambiguous'],
  ])('%s is %s', (path, id) => {
    expect(idAt('mcp.example.com', path)).toBe(id)
  })
})

describe('an escape that a server may decode, too,', () => {
  it.each([
    ['means nothing deeper than other resources lie', '/x/y/%40other', 'site'],
    ['means nothing below the resource it is in', '/@team/x/%40home', 'at'],
    ['is refused as far down as other resources lie', '/%40other', 'ambiguous'],
    ['is refused there below the resource it is in', '/@team/%40home', 'ambiguous'],
    ['means nothing in the query', '/other?a=/%40team', 'site'],
    ['counts as it is configured', '/caf%c3%a9/noir', 'cafe'],
    ['counts as it is configured, reserved or not', '/%28old%29', 'escaped'],
    ['leads nowhere else', '/%40team', 'ambiguous'],
    ['leads nowhere else with more below', '/%40team/x', 'ambiguous'],
    ['leads nowhere else beside one of a plain letter', '/%40te%61m', 'ambiguous'],
    ['leads nowhere else in another case', '/%40TEAM', 'ambiguous'],
    ['leads nowhere else with a space at the end', '/%40team%20', 'ambiguous'],
    ['leads to nothing more specific either', '/@team/%28x%29', 'ambiguous'],
    ['leads to no also-path', '/%28menu%29', 'ambiguous'],
    ['is not left out where it is configured', '/(old)', 'ambiguous'],
    ['in another case of a letter beyond ASCII', '/caf%C3%89', 'ambiguous'],
    ['with an accent on its own', '/cafe%CC%81', 'ambiguous'],
    ['of a character that some servers take for another', '/%EF%BC%A0team', 'ambiguous'],
    ['is not escaped twice', '/%2540team', 'ambiguous'],
    ['of a wide slash', '/x%EF%BC%8F@team', 'ambiguous'],
    ['of wide dots that lead up', '/x/%EF%BC%8E%EF%BC%8E/@team', 'ambiguous'],
    ['of a wide percent sign', '/%EF%BC%8540team', 'ambiguous'],
    ['that is one of thousands', `/${'%CC%81%CC%96'.repeat(5000)}`, 'ambiguous'],
    ['of no UTF-8', '/%40team%FF', 'ambiguous'],
  ])('%s: %s', (_what, target, id) => {
    expect(idAt('site.example.com', target)).toBe(id)
  })

  it('means nothing where there is one resource alone', () => {
    expect(idAt('lone.example.com', '/mcp/%40a/%28b%29')).toBe('lone')
  })
})

describe('a path that can be read in more than one way is ambiguous', () => {
  it.each([
    '/notes/mcp/%2f',
    '/notes/mcp%2Fx',
    '/notes/mcp/..%2fadmin',
    '/notes/mcp/%5cx',
    '/notes/mcp/%5Cx',
    '/notes/mcp/\\x',
    '/notes/mcp/%00',
    '/notes/mcp/%25',
    '/notes/mcp/%252e%252e/',
    '/notes/mcp/%0d%0aX: y',
    '/notes/mcp/%0d%0a',
    '/notes/mcp/%09',
    '/notes/mcp/%7f',
    '/notes/mcp;x=1',
    '/notes/mcp/%3bx',
    '/notes/mcp/../admin',
    '/notes/mcp/..',
    '/notes/mcp/.',
    '/notes/mcp/./x',
    '/notes/mcp/%2e%2e/admin',
    '/notes/mcp/.%2E/admin',
    '/notes/mcp/%2e',
    '//notes/mcp',
    '/notes//mcp',
    '/notes/mcp//',
    '/notes/mcp/%zz',
    '/notes/mcp/%4',
    '/notes/mcp/%',
    '/notes/mcp/a b',
    '/notes/mcp/caf\u00e9',
    '/notes/mcp/\t',
    'notes/mcp',
    '',
    '*',
    'https://mcp.example.com/notes/mcp',
  ])('%j', (path) => {
    expect(idAt('mcp.example.com', path)).toBe('ambiguous')
  })

  it.each(['/notes/mcp#/admin', '/notes/mcp/%23', '/admin#/notes/mcp', '/notes/mcp/%3f'])(
    'GHSA-pxq7-h93f-9jrg, CVE-2026-41059: %s',
    (path) => {
      expect(idAt('mcp.example.com', path)).toBe('ambiguous')
    },
  )
})

it('CVE-2025-54576: a query never makes a path belong to a resource', () => {
  expect(idAt('mcp.example.com', '/private?/notes/mcp')).toBe('unknown')
  expect(idAt('mcp.example.com', '/?x=/notes/mcp')).toBe('unknown')
})

describe('a resource parameter means', () => {
  it.each([
    ['https://mcp.example.com/notes/mcp', 'notes'],
    ['HTTPS://MCP.EXAMPLE.COM/notes/mcp', 'notes'],
    ['https://mcp.example.com:443/notes/mcp', 'notes'],
    ['http://mcp.example.com/notes/mcp', 'notes'],
    ['https://mcp.example.com/notes/mcp/', 'notes'],
    ['https://mcp.example.com/notes/mcp/deep/er', 'deep'],
    ['https://mcp.example.com/messages', 'legacy'],
    ['https://lone.example.com', 'lone'],
    ['https://lone.example.com/', 'lone'],
    ['https://whole.example.com', 'whole'],
    ['https://whole.example.com/x', 'whole'],
    ['https://acme.tenants.example.com', 'tenant'],
    ['https://mcp.example.com', undefined],
    ['https://lone.example.com/other', undefined],
    ['https://mcp.example.com/notes/mcpx', undefined],
    ['https://mcp.example.com/notes/mcp?x=1', 'notes'],
    ['https://mcp.example.com/notes/mcp#x', undefined],
    ['https://mcp.example.com/notes/mcp/../x', undefined],
    ['https://user@mcp.example.com/notes/mcp', undefined],
    ['https://mcp.example.com@evil.test/notes/mcp', undefined],
    ['https://evil.test/notes/mcp', undefined],
    ['ftp://mcp.example.com/notes/mcp', undefined],
    ['urn:mcp', undefined],
    ['//mcp.example.com/notes/mcp', undefined],
    [' https://mcp.example.com/notes/mcp', undefined],
    ['https:\\\\mcp.example.com\\notes\\mcp', undefined],
    ['', undefined],
  ])('%j -> %s', (url, id) => {
    expect(table.byIndicator(url)?.id).toBe(id)
  })
})

describe('an audience', () => {
  it.each([
    ['https://mcp.example.com/notes/mcp', 'notes'],
    ['https://whole.example.com', 'whole'],
    ['https://acme.tenants.example.com/mcp', 'tenant'],
    ['https://ported.example.com:8443/mcp', 'ported'],
    ['https://mcp.example.com/notes/mcp/', undefined],
    ['https://mcp.example.com/notes/mcp/x', undefined],
    ['http://mcp.example.com/notes/mcp', undefined],
    ['https://MCP.example.com/notes/mcp', undefined],
    ['https://*.tenants.example.com/mcp', undefined],
    ['https://mcp.example.com', undefined],
  ])('%s is that of %s', (audience, id) => {
    expect(table.byAudience(audience)?.id).toBe(id)
  })
})

describe('a client that names no resource means', () => {
  const one = at('one', 'https://a.example.com')
  const two = at('two', 'https://b.example.com')
  it.each([
    ['the only one', [one], 'one'],
    ['the one marked default', [one, { ...two, isDefault: true }], 'two'],
    ['none of several', [one, two], undefined],
    ['no wildcard', [at('any', 'https://*.example.com')], undefined],
  ])('%s', (_what, configured, id) => {
    expect(createResourceTable(configured).fallback?.id).toBe(id)
  })
})

it('remembers few of the names that somebody asks of a wildcard', () => {
  for (let i = 0; i < 3000; i += 1) expect(idAt(`t${i}.tenants.example.com`, '/mcp')).toBe('tenant')
  expect(idAt('t1.tenants.example.com', '/mcp')).toBe('tenant')
})

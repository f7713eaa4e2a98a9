import { describe, expect, it } from 'vitest'
import { normalizeHost } from '../../src/url/host.ts'

describe('CVE-2026-48794: every spelling of a host is one', () => {
  it.each([
    ['mcp.example.com', 'mcp.example.com'],
    ['MCP.Example.COM', 'mcp.example.com'],
    ['mcp.example.com.', 'mcp.example.com'],
    ['mcp.example.com:443', 'mcp.example.com'],
    ['mcp.example.com:80', 'mcp.example.com'],
    ['MCP.example.com.:443', 'mcp.example.com'],
    ['mcp.example.com:8443', 'mcp.example.com:8443'],
    ['localhost', 'localhost'],
    ['127.0.0.1:3000', '127.0.0.1:3000'],
    ['[::1]', '[::1]'],
    ['[::1]:443', '[::1]'],
    ['[2001:DB8::1]:8080', '[2001:db8::1]:8080'],
    ['[2001:0db8:0:0:0:0:0:0001]:8080', '[2001:db8::1]:8080'],
    ['[0:0:0:0:0:0:0:1]', '[::1]'],
    ['[::FFFF:127.0.0.1]', '[::ffff:7f00:1]'],
    ['my_service:8080', 'my_service:8080'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ])('%s is %s', (host, normal) => {
    expect(normalizeHost(host)).toBe(normal)
  })
})

describe('a value that is not one host is refused', () => {
  it.each([
    '',
    '.',
    ':443',
    'mcp.example.com:',
    'mcp.example.com..',
    'mcp.example.com:443.',
    '.mcp.example.com',
    'a.example.com,b.example.com',
    'a.example.com, b.example.com',
    'a.example.com b.example.com',
    ' a.example.com',
    'a.example.com\t',
    'user@a.example.com',
    'user:pw@a.example.com',
    'a.example.com/path',
    'a.example.com?query',
    'a.example.com#fragment',
    'https://a.example.com',
    'a.example.com:port',
    'a.example.com:123456',
    'a.example.com:80:80',
    'localhost:3000:443',
    '[::1].',
    '\u212aey.example.com',
    '::1',
    '[::1',
    '[:::1]',
    '[1::2::3]',
    '[.]',
    '[::1%25eth0]',
    'b\u00fccher.example',
    'ex\u0430mple.com',
    'a%2eexample.com',
    'a\\b',
    '*.example.com',
    'a.example.com\u0000',
  ])('%j', (host) => {
    expect(normalizeHost(host)).toBeUndefined()
  })
})

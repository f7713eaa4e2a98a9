/**
 * The README is short at its head, true, and its configuration loads.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { HASH } from '../config/harness.ts'
import { blockOf, everyPage, ROOT, readPage, tableRows } from '../support/documentation.ts'
import { sourceFiles } from './imports.ts'

const README = readPage('README.md')

describe('the README', () => {
  it('fr2: has its first command within one screen', () => {
    const before = README.slice(0, README.indexOf('```sh')).split('\n')
    expect(before.length).toBeLessThan(40)
  })

  it('fr1: has no line of configuration wider than 100 columns', () => {
    const blocks = [...README.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, block = '']) => block)
    expect(blocks.length).toBeGreaterThan(3)
    expect(
      blocks.flatMap((block) => block.split('\n')).filter((line) => line.length > 100),
    ).toEqual([])
  })

  it('fh21: shows a configuration without a proxy that loads as it stands, with a hash put in', () => {
    const yaml = blockOf(README, 'example: README pass-through').replace('$argon2id$...', HASH)
    const { config } = loadConfig({
      argv: [],
      env: {},
      cwd: '/srv',
      readFile: (path) => {
        if (path.endsWith('gatewarden.yaml')) return yaml
        throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      },
    })
    expect(config.resources).toMatchObject([
      { url: 'http://localhost:11000/mcp', upstream: 'http://localhost:3000/mcp' },
    ])
    expect(config.users).toMatchObject([{ name: 'ann', email: 'ann@example.com' }])
  })

  it('fh4: says how to sign in at Claude Code', () => {
    expect(README).toContain('claude mcp login')
  })
})

describe('the table of clients', () => {
  const table = /## Works with\n(.*?)\n## /s.exec(README)?.[1] ?? ''
  const rows = tableRows(table)

  it.each([
    'Claude Code',
    'claude.ai',
    'Claude Desktop',
    'ChatGPT',
    'Cursor',
    'VS Code',
    'Gemini CLI',
    'Codex CLI',
    'Inspector',
    'mcp-remote',
    'TypeScript SDK',
    'Python SDK',
    'Go SDK',
    'Rust SDK',
    'FastMCP',
    'LibreChat',
    'Open WebUI',
    'n8n',
  ])('fr4: has %s, with what to type or click', (client) => {
    const [, action] = rows.find(([name = '']) => name.includes(client)) ?? []
    expect(action).toMatch(/\w{3}/)
  })

  it('calls run only what the tests run, with its version', () => {
    const versions = (name: string) =>
      JSON.parse(readFileSync(`${ROOT}node_modules/${name}/package.json`, 'utf8')).version
    const pins = [
      ...['scripts/verify/clients.ts', 'test/e2e/clients/go/go.mod'],
      'test/e2e/clients/rust/Cargo.toml',
    ]
      .map((file) => readFileSync(ROOT + file, 'utf8'))
      .join('\n')
    /** The version that a test programme is pinned to. */
    const pinned = (name: string) => {
      const [, version] =
        new RegExp(`['\\s/]${name}(?:==|@| v| = \\{ version = "=)([\\d.]+)`).exec(pins) ?? []
      return version
    }
    const run = rows.filter(([, , how = '']) => how.startsWith('run'))
    expect(run.map(([name, , how]) => [name, how])).toEqual([
      ['MCP Inspector', `run: ${pinned('@modelcontextprotocol/inspector')}, its command line`],
      ['mcp-remote', `run: ${versions('mcp-remote')}`],
      [
        'TypeScript SDK',
        `run: ${versions('@modelcontextprotocol/sdk')} and client ${versions('@modelcontextprotocol/client')}`,
      ],
      ['Python SDK', `run: ${pinned('mcp')}`],
      ['Go SDK', `run: ${pinned('modelcontextprotocol/go-sdk')}`],
      ['Rust SDK', `run: ${pinned('rmcp')}`],
      ['FastMCP', `run: ${pinned('fastmcp')}`],
      ['n8n', `run: its OAuth client ${pinned('@n8n/client-oauth2')}`],
    ])
  })
})

describe('docs/troubleshooting.md', () => {
  const source = sourceFiles()
    .map((file) => readFileSync(ROOT + file, 'utf8'))
    .join('\n')
  const page = readPage('docs/troubleshooting.md')
  const people = page.split('\n## A person cannot sign in\n')[1]?.split('\n## ')[0] ?? ''
  const seen = [
    ...tableRows(people),
    ...tableRows(page).filter(([first = '']) => first.startsWith('403')),
  ]
  const quoted = seen.flatMap(([first = '']) =>
    [...first.matchAll(/"([^"]+)"/g)].map(([, sentence = '']) => sentence),
  )

  it('fr6: quotes what people see', () => {
    expect(quoted.length).toBeGreaterThan(7)
  })

  it.each(quoted)('fr6: %s', (sentence) => {
    expect(source).toContain(sentence)
  })
})

describe('commands of the documentation', () => {
  const OWNED = [
    'mcp-remote',
    '@modelcontextprotocol/inspector',
    '@modelcontextprotocol/server-everything',
    'supergateway',
    'tsx',
    'biome',
    'vitest',
    'tsc',
  ]

  it.each([...everyPage(), 'CONTRIBUTING.md'])(
    'fh5: %s runs only packages that we know',
    (page) => {
      const text = readFileSync(ROOT + page, 'utf8')
      const packages = [...text.matchAll(/\bnpx (?:-y |--yes )*(?:-p )?(@?[\w./-]+)/g)].map(
        ([, name = '']) => name,
      )
      expect(packages.filter((name) => !OWNED.includes(name))).toEqual([])
    },
  )
})

it.each([
  'SECURITY.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'CHANGELOG.md',
  'docs/upgrading.md',
  'docs/comparison.md',
  'docs/faq.md',
])('fr5, fr6, fr9: %s exists', (file) => {
  expect(existsSync(ROOT + file)).toBe(true)
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apiKey } from '../../src/cli/api-key.ts'
import { run } from './harness.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewarden-api-key-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const FILE = `
public_url: https://auth.example.com
allow: { emails: [ann@example.com] }
users: { ann: { email: ann@example.com, password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG" } }
resources:
  notes: { url: https://mcp.example.com/notes, scopes: { "notes:read": R, "notes:write": W } }
  wiki: { url: https://mcp.example.com/wiki, scopes: { "wiki:read": R } }
`
const ask = (...args: string[]) => run(apiKey, { args, yaml: FILE, env: { DATA_DIR: folder } })

describe('api-key create', () => {
  it('prints the key alone on standard output, and how to send it on standard error', async () => {
    const { code, stdout, stderr } = await ask('create', 'nightly')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^gwk_[A-Za-z0-9_-]{70}\n$/)
    expect(stderr).toContain('X-API-Key: KEY')
    expect(stderr).not.toContain(stdout.trim())
    expect(stderr).toContain('scopes: notes:read, notes:write, wiki:read')
  })

  it('limits the key to servers, scopes and a time', async () => {
    const made = await ask(
      ...([
        'create',
        'ci',
        '--resource',
        'notes',
        '--scope=notes:read',
        '--expires',
        '2d',
      ] as const),
    )
    expect(made.code).toBe(0)
    const { stdout } = await ask('list')
    expect(stdout).toMatch(
      /^ci {2}servers: notes {2}scopes: notes:read {2}made \S+ {2}expires \S+\n$/,
    )
    const [, from = '', until = ''] = /made (\S+) {2}expires (\S+)/.exec(stdout) ?? []
    expect(Date.parse(until) - Date.parse(from)).toBe(2 * 86_400_000)
  })

  it('B8: takes a scope that a server may say, though it asks none', async () => {
    const yaml = FILE.replace(', scopes: { "wiki:read": R }', ', scopes_endpoint: "http://w:3000"')
    const make = (...args: string[]) =>
      run(apiKey, { args: ['create', ...args], yaml, env: { DATA_DIR: folder } })
    expect((await make('a', '--resource', 'wiki', '--scope', 'said')).code).toBe(0)
    const listed = await make('b', '--resource', 'notes', '--scope', 'said')
    expect(listed.stderr).toContain('no server that the key opens offers "said"')
    expect((await make('c', '--resource', 'wiki', '--scope', 'two words')).code).not.toBe(0)
  })

  it('ends the key after 90 days, unless it never ends', async () => {
    await ask('create', 'a')
    await ask('create', 'b', '--expires', 'never')
    const [first = '', second = ''] = (await ask('list')).stdout.split('\n')
    const [, from = '', until = ''] = /made (\S+) {2}expires (\S+)/.exec(first) ?? []
    expect(Date.parse(until) - Date.parse(from)).toBe(90 * 86_400_000)
    expect(second).toMatch(/^b .* never expires$/)
  })

  it.each([
    [[], 'Usage: gatewarden api-key create NAME'],
    [['a b'], 'a b is not a name.'],
    [['a', 'b'], 'Usage: gatewarden api-key create NAME'],
    [['a', '--resource', 'note'], '--resource: no server has the id "note". Did you mean notes?'],
    [['a', '--scope', 'admin'], '--scope: no server that the key opens offers "admin".'],
    [['a', '--resource', 'wiki', '--scope', 'notes:read'], '--scope: no server that the key opens'],
    [['a', '--expires', 'soon'], '--expires: is not a duration.'],
    [['a', '--expires', '1s'], '--expires: is out of bounds.'],
    [['a', '--scope'], '--scope has no value.'],
    [['a', '--scop', 'x'], '--scop: is not a flag.'],
  ])('%j is refused, and makes nothing', async (args, problem) => {
    const { code, stdout, stderr } = await ask('create', ...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(problem)
    expect((await ask('list')).stdout).toBe('')
  })

  it('gives each name to one key', async () => {
    await ask('create', 'nightly')
    const again = await ask('create', 'nightly')
    expect([again.code, again.stdout]).toEqual([2, ''])
    expect(again.stderr).toContain('a key has the name nightly.')
  })
})

it('api-key alone says what it takes', async () => {
  for (const args of [[], ['make']]) {
    const { code, stderr } = await ask(...args)
    expect([code, stderr]).toEqual([
      2,
      'Usage: gatewarden api-key create NAME, list or revoke NAME\n',
    ])
  }
})

describe('api-key revoke', () => {
  it('ends the key of that name alone, and the name is free again', async () => {
    await ask('create', 'a')
    await ask('create', 'b')
    expect((await ask('revoke', 'a')).code).toBe(0)
    expect((await ask('list')).stdout).toMatch(/^b [^\n]*\n$/)
    expect((await ask('create', 'a')).code).toBe(0)
  })

  it('says which name was meant', async () => {
    await ask('create', 'nightly')
    const { code, stderr } = await ask('revoke', 'nigthly')
    expect(code).toBe(1)
    expect(stderr).toContain('Did you mean nightly?')
    expect((await ask('revoke')).code).toBe(2)
  })
})

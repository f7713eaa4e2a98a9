/**
 * The arrows of docs/architecture.md: who may import what.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { readPage } from '../support/documentation.ts'
import { chainTo, importsOf, sourceFiles } from './imports.ts'

const FILES = sourceFiles()
const OAUTH_RULES =
  'pkce scope redirect-uri refresh-token parameters errors metadata well-known resource-indicator authorization-request client-authentication'
const CHECK_RULES = 'decide policy path resource challenge identity-headers credential cookies'
const SESSION_RULES = 'session-target session-cookies'
const RULES = [
  ...OAUTH_RULES.split(' ').map((name) => `src/oauth/${name}.ts`),
  ...CHECK_RULES.split(' ').map((name) => `src/forward-auth/${name}.ts`),
  ...SESSION_RULES.split(' ').map((name) => `src/sessions/${name}.ts`),
  ...FILES.filter((file) => file.startsWith('src/oauth/grants/')),
]

const isEdge = (target: string) =>
  /^(@?fastify|lmdb$|ioredis$|openid-client$|undici$)/.test(target) ||
  (target.startsWith('src/providers/') && target !== 'src/providers/provider.ts')

/** Files that import a target which `forbidden` names, with that target. */
const breaches = (files: readonly string[], forbidden: (target: string) => boolean) =>
  files.flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => forbidden(target))
      .map(({ target }) => `${file} -> ${target}`),
  )

const importersOf = (name: string) => [
  ...new Set(FILES.filter((file) => importsOf(file).some(({ target }) => target === name))),
]

describe('who may import what', () => {
  it('sees imports of every kind', () => {
    expect(importsOf('src/http/server.ts')).toContainEqual({ target: 'fastify', typeOnly: false })
    expect(importsOf('src/app.ts')).toContainEqual({ target: '@fastify/cookie', typeOnly: false })
    expect(importsOf('src/main.ts')).toContainEqual({ target: 'src/cli/serve.ts', typeOnly: false })
    expect(importsOf('src/login/routes.ts')).toContainEqual({
      target: '@fastify/cookie',
      typeOnly: false,
    })
    expect(importsOf('src/login/routes.ts')).toContainEqual({ target: 'fastify', typeOnly: true })
    expect(chainTo('src/cli/serve.ts', (target) => target === 'lmdb')).toEqual([
      'src/cli/serve.ts',
      'src/storage/index.ts',
      'src/storage/lmdb.ts',
      'src/storage/lmdb-open.ts',
      'lmdb',
    ])
  })

  it('misses no import line', () => {
    const missed = FILES.filter((file) => {
      const lines = readPage(file).match(/^(?! \*).*(?:\bfrom|^import) '[^']+'$/gm) ?? []
      return lines.length > importsOf(file).length
    })
    expect(missed).toEqual([])
  })

  it.each(RULES)('%s is a rule: no Fastify, driver or provider, however far away', (rule) => {
    expect(chainTo(rule, isEdge).join(' -> ')).toBe('')
  })

  it('pages import pages and node:crypto', () => {
    const pages = FILES.filter((file) => file.startsWith('src/pages/'))
    expect(pages.length).toBeGreaterThan(5)
    const allowed = (target: string) => target.startsWith('src/pages/') || target === 'node:crypto'
    expect(breaches(pages, (target) => !allowed(target))).toEqual([])
  })

  it('storage adapters import their driver and files of storage', () => {
    const typed = ['records', 'persons', 'standing', 'index'].map(
      (name) => `src/storage/${name}.ts`,
    )
    const adapters = FILES.filter(
      (file) => file.startsWith('src/storage/') && !typed.includes(file),
    )
    expect(adapters).toContain('src/storage/lmdb.ts')
    const ours = (target: string) => target.startsWith('src/') && !target.startsWith('src/storage/')
    expect(breaches(adapters, (target) => ours(target) || typed.includes(target))).toEqual([])
    for (const file of adapters) {
      const drivers = importsOf(file).filter(({ target }) => !/^(src\/|node:)/.test(target))
      expect(new Set(drivers.map(({ target }) => target)).size, file).toBeLessThanOrEqual(1)
    }
  })

  it.each([
    ['lmdb', 'src/storage/'],
    ['ioredis', 'src/storage/'],
    ['openid-client', 'src/providers/'],
    ['undici', 'src/proxy/'],
  ])('%s is imported in %s only', (name, folder) => {
    const importers = importersOf(name)
    expect(importers.length).toBeGreaterThan(0)
    expect(importers.filter((file) => !file.startsWith(folder))).toEqual([])
  })

  it('only the serve command builds the app', () => {
    expect(importersOf('src/app.ts')).toEqual(['src/cli/serve.ts'])
  })
})

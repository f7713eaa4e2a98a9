/**
 * The arrows of docs/architecture.md: who may import what.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { readPage } from '../support/documentation.ts'
import { chainTo, importsOf, sourceFiles } from './imports.ts'

const FILES = sourceFiles()

/**
 * The folders of docs/architecture.md, from top to bottom. An import may only point to a lower row: never up, and never to
 * another entry of its own row.
 */
const ROWS: readonly (readonly string[])[] = [
  ['src/main.ts'],
  ['src/cli/'],
  ['src/app.ts'],
  ['src/services/'],
  ['src/edge/', 'src/telemetry/'],
  ['src/config/load.ts'],
  ['src/config/build.ts'],
  ['src/config/rules/', 'src/config/reference/', 'src/forward-auth/', 'src/proxy/'],
  ['src/config/sections/'],
  ['src/config/sources/'],
  ['src/config/schema.ts'],
  ['src/config/settings/'],
  ['src/config/values/'],
  ['src/config/config.ts'],
  ['src/check/', 'src/sessions/'],
  ['src/credentials/', 'src/login/'],
  ['src/mcp/'],
  ['src/oauth/'],
  ['src/http/', 'src/records/', 'src/resources/'],
  ['src/outbound/'],
  ['src/providers/', 'src/url/'],
  [
    'src/storage/',
    'src/pages/',
    'src/crypto.ts',
    'src/errors.ts',
    'src/identifiers.ts',
    'src/paths.ts',
    'src/turns.ts',
  ],
  ['src/events.ts'],
  ['src/event-fields.ts'],
]

/** The entry of {@link ROWS} that a file belongs to. @throws Error if it has no place */
function placeOf(file: string): { entry: string; row: number } {
  for (const [row, entries] of ROWS.entries()) {
    const entry = entries.find((prefix) => file.startsWith(prefix))
    if (entry !== undefined) return { entry, row }
  }
  throw new Error(`${file} has no row in test/docs/layers.test.ts`)
}

/** Files below `http/` that know no HTTP server, and the parts of `check/` and `sessions/` that decide. */
const RULES = [
  ...FILES.filter((file) => /^src\/(?:url|resources)\//.test(file)),
  ...FILES.filter((file) => /^src\/oauth\/(?!endpoints\/)/.test(file)),
  ...FILES.filter((file) => /^src\/check\/(?!check|outcome-events|proxy-faults)/.test(file)),
  'src/credentials/presented.ts',
  'src/credentials/credential.ts',
  'src/edge/connect-parameters.ts',
  'src/http/browser-request.ts',
  'src/http/header-list.ts',
  'src/http/raw-headers.ts',
  'src/mcp/own-headers.ts',
  'src/mcp/said-scopes.ts',
  'src/outbound/event-reader.ts',
  'src/login/interaction.ts',
  'src/sessions/cookies.ts',
  'src/sessions/target.ts',
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
    expect(importsOf('src/http/surface.ts')).toContainEqual({
      target: '@fastify/cookie',
      typeOnly: false,
    })
    expect(importsOf('src/cli/start.ts')).toContainEqual({
      target: 'src/cli/serve.ts',
      typeOnly: false,
    })
    expect(importsOf('src/login/routes.ts')).toContainEqual({
      target: '@fastify/cookie',
      typeOnly: false,
    })
    expect(importsOf('src/login/routes.ts')).toContainEqual({ target: 'fastify', typeOnly: true })
    expect(chainTo('src/cli/serve.ts', (target) => target === 'lmdb')).toEqual([
      'src/cli/serve.ts',
      'src/cli/open-store.ts',
      'src/storage/index.ts',
      'src/storage/lmdb/lmdb.ts',
      'src/storage/lmdb/open.ts',
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

  it('every import points to a lower row', () => {
    const upward = FILES.flatMap((file) => {
      const { entry, row } = placeOf(file)
      return importsOf(file)
        .filter(({ target }) => target.startsWith('src/'))
        .filter(({ target }) => {
          const to = placeOf(target)
          return to.entry !== entry && to.row <= row
        })
        .map(({ target }) => `${file} -> ${target}`)
    })
    expect(upward).toEqual([])
  })

  it('every row has files', () => {
    const empty = ROWS.flat().filter((entry) => !FILES.some((file) => file.startsWith(entry)))
    expect(empty).toEqual([])
  })

  it('only cli, app and services see config', () => {
    const readers = FILES.filter((file) =>
      importsOf(file).some(({ target }) => target.startsWith('src/config/')),
    )
    const allowed = /^src\/(?:config\/|cli\/|main\.ts|app\.ts|services\/)/
    expect(readers.filter((file) => !allowed.test(file))).toEqual([])
  })

  it('no domain has two files of one name, and no file repeats the name of its folder', () => {
    const domains = new Map<string, string[]>()
    for (const file of FILES) {
      const domain = file.split('/')[1] ?? ''
      const name = file.split('/').at(-1) ?? ''
      domains.set(`${domain}/${name}`, [...(domains.get(`${domain}/${name}`) ?? []), file])
    }
    const twins = [...domains.entries()].filter(([name, files]) => {
      return files.length > 1 && !name.endsWith('/index.ts')
    })
    expect(twins).toEqual([])
    const stutters = FILES.filter((file) => {
      const [name = '', folder = ''] = file.split('/').reverse()
      return name.startsWith(`${folder}-`)
    })
    expect(stutters).toEqual([])
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

  it('storage adapters import at most one driver', () => {
    const adapters = FILES.filter((file) => file.startsWith('src/storage/'))
    expect(adapters).toContain('src/storage/lmdb/lmdb.ts')
    for (const file of adapters) {
      const drivers = importsOf(file).filter(({ target }) => !/^(src\/|node:|pino$)/.test(target))
      expect(new Set(drivers.map(({ target }) => target)).size, file).toBeLessThanOrEqual(1)
    }
  })

  it.each([
    ['lmdb', 'src/storage/'],
    ['ioredis', 'src/storage/'],
    ['openid-client', 'src/providers/'],
    ['undici', 'src/proxy/', 'src/outbound/'],
  ])('%s is imported in %s only', (name, ...folders) => {
    const importers = importersOf(name)
    expect(importers.length).toBeGreaterThan(0)
    const isInside = (file: string) => folders.some((folder) => file.startsWith(folder))
    expect(importers.filter((file) => !isInside(file))).toEqual([])
  })

  it('only the serve command builds the app', () => {
    expect(importersOf('src/app.ts')).toEqual(['src/cli/serve.ts'])
  })
})

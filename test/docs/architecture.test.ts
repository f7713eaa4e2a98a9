/**
 * docs/architecture.md names every folder, record and storage method, and nothing that does not exist.
 *
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { ROOT, readPage, tableRows } from '../support/documentation.ts'

const PAGE = readPage('docs/architecture.md')
const TOP = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)

/** The paths in code marks on the page: those that begin with a folder of the repository. */
const paths = [...PAGE.matchAll(/`([\w.-]+\/[\w./-]*)`/g)]
  .map(([, path = '']) => path)
  .filter((path) => TOP.includes(path.split('/')[0] ?? ''))

/** The keys in the first column of a table of records. */
const keysIn = (text: string) =>
  tableRows(text).flatMap(([first = '']) => /^`([a-z-]+:<[^>]+>)`$/.exec(first)?.[1] ?? [])

describe('docs/architecture.md', () => {
  it.each([...new Set(paths)])('names %s, which exists', (path) => {
    expect(existsSync(ROOT + path)).toBe(true)
  })

  it('names every folder of src', () => {
    const folders = readdirSync(`${ROOT}src`, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${entry.parentPath}/${entry.name}/`.slice(ROOT.length))
    expect(folders).toContain('src/oauth/')
    expect(folders.filter((folder) => !paths.includes(folder))).toEqual([])
  })

  it('has the same records as the code', () => {
    const comment = readPage('src/records/records.ts').replaceAll(/^ \* /gm, '')
    const keys = keysIn(PAGE)
    expect(keys.length).toBeGreaterThan(5)
    expect(keys).toEqual(keysIn(comment))
  })

  it('names every method of the storage interface', () => {
    const methods = Object.keys(createMemoryStorage({ now: Date.now }))
    expect(methods).toContain('peek')
    const named = tableRows(PAGE).flatMap(([first = '']) =>
      [...first.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    )
    expect(named).toEqual(expect.arrayContaining(methods))
  })
})

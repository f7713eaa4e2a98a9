/**
 * Everything that comments cite can be opened in this repository: decisions, threats and pages.
 *
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { everyPage, ROOT, readPage, tableRows } from '../support/documentation.ts'
import { sourceFiles } from './imports.ts'

const LIST = 'docs/decisions/README.md'
const FOLDER = 'docs/decisions/'

/** The comments of a source file, as one text. An address in a string (`https://`) begins none. */
const commentsOf = (code: string) =>
  [...code.matchAll(/\/\*.*?\*\/|(?:^|\s)\/\/.*?$/gms)].map(([comment]) => comment).join('\n')

/** The numbers with this letter in a text: `K12`, `T7`. `S256`, `K8s` and `T0` are none. */
const citedIn = (text: string, letter: 'K' | 'T') =>
  [...text.matchAll(new RegExp(`\\b${letter}[1-9][0-9]?\\b`, 'g'))].map(([number]) => number)

const firstCells = (page: string) => tableRows(readPage(page)).map(([first = '']) => first)

const FILES = sourceFiles()
const SOURCES = FILES.map((file) => ({ file, text: readPage(file) }))
const COMMENTS = SOURCES.map(({ file, text }) => ({ file, text: commentsOf(text) }))
const PAGES = everyPage().map((file) => ({ file, text: readPage(file) }))
const DECISIONS = PAGES.filter(({ file }) => file.startsWith(FOLDER))

/** `file: number` for each citation that is not in the list. */
const unknown = (
  texts: readonly { readonly file: string; readonly text: string }[],
  letter: 'K' | 'T',
  listed: readonly string[],
) =>
  texts.flatMap(({ file, text }) =>
    citedIn(text, letter)
      .filter((number) => !listed.includes(number))
      .map((number) => `${file}: ${number}`),
  )

describe('a citation', () => {
  it('stands in a comment', () => {
    const code = [
      "const a = 'https://example.com/K1' // decision K2",
      "const b = 'K3 is no comment'",
      '/** A table (K4, S256), K8s, T0.',
      ' * | `key` | 60 s (threat T5) |',
      ' */',
    ].join('\n')
    expect(citedIn(commentsOf(code), 'K')).toEqual(['K2', 'K4'])
    expect(citedIn(commentsOf(code), 'T')).toEqual(['T5'])
  })

  it('of a decision has a row', () => {
    expect(citedIn(COMMENTS.map(({ text }) => text).join('\n'), 'K').length).toBeGreaterThan(50)
    expect(unknown([...COMMENTS, ...DECISIONS], 'K', firstCells(LIST))).toEqual([])
  })

  it('of a threat has a row', () => {
    expect(citedIn(COMMENTS.map(({ text }) => text).join('\n'), 'T').length).toBeGreaterThan(10)
    const listed = firstCells('docs/threat-model.md')
    expect(unknown([...COMMENTS, ...DECISIONS], 'T', listed)).toEqual([])
  })

  it('of a page names one that exists', () => {
    const missing = SOURCES.flatMap(({ file, text }) =>
      [...text.matchAll(/(?<![\w./-])docs\/[\w./-]*[\w/]/g)]
        .filter(([path]) => !existsSync(ROOT + path))
        .map(([path]) => `${file}: ${path}`),
    )
    expect(missing).toEqual([])
  })

  it('names mcpauth by its name', () => {
    const nameless = [...SOURCES, ...PAGES].filter(({ text }) => /\bS0\b/.test(text))
    expect(nameless.map(({ file }) => file)).toEqual([])
  })
})

describe('the list of decisions', () => {
  const rows = tableRows(readPage(LIST)).slice(2)

  it('has each number once, in order', () => {
    const numbers = rows.map(([number = '']) => number)
    const named = numbers.filter((number) => number.startsWith('K'))
    expect(named).toEqual(named.map((_number, index) => `K${index + 1}`))
    expect(named.length).toBeGreaterThan(44)
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  it.each(rows)('%s has a rule and a status', (_number, rule = '', _page, status = '') => {
    expect(rule).toMatch(/^\S.*\.$/)
    expect(status).toMatch(/^(?:built(?:; .+)?|accepted, (?:being built|not built yet))$/)
  })

  it.each(readdirSync(ROOT + FOLDER).filter((name) => name !== 'README.md'))(
    'agrees with %s',
    (name) => {
      const text = readPage(FOLDER + name)
      const [, letter = '', digits = ''] = /^# (K?)(\d+)\. /.exec(text) ?? []
      const number = letter === '' ? digits.padStart(4, '0') : `K${digits}`
      expect(name.split('-')[0]).toBe(letter === '' ? number : `k${digits.padStart(2, '0')}`)
      const [, , page, status] = rows.find(([first]) => first === number) ?? []
      expect(page).toContain(`(${name})`)
      if (letter === '') return
      // A page without such a line is about something that is built.
      const said = /^Status: (.+?)\.(?:\s|$)/ms.exec(text)?.[1] ?? 'built'
      expect(said.replaceAll('\n', ' ')).toBe(status)
    },
  )
})

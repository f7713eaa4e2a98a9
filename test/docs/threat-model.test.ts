/**
 * docs/threat-model.md has a row for every threat, and names only code and tests that are there.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { authorizationServerMetadata } from '../../src/oauth/metadata.ts'
import { ROOT, readPage, tableRows } from '../support/documentation.ts'
import { filesBelow } from './sentences.ts'

const PAGE = readPage('docs/threat-model.md')
const LAST = 57
/** Rows from here on may wait for their test. */
const FIRST_PENDING = 58

/** The rows of the table under a heading, without its head. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = PAGE.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return tableRows(section).slice(2)
}

/** A test that a cell names. */
interface Proof {
  readonly file: string
  readonly sentence: string
}

/** The tests that a cell names; anything else in it has to be one of the two other forms. */
function proofsOf(cell: string): readonly Proof[] {
  return cell.split('<br>').flatMap((part) => {
    const [, file, sentence] = /^`(test\/[^`]+)`: (.+)$/.exec(part) ?? []
    if (file !== undefined && sentence !== undefined) return [{ file, sentence }]
    expect(part).toMatch(/^(?:pending|not built yet: .{5,})$/)
    return []
  })
}

/** The sentence stands there in quotes of its own: it is the whole name of a test, a group or a case. */
function expectTest({ file, sentence }: Proof): void {
  expect(existsSync(ROOT + file), file).toBe(true)
  const source = readPage(file)
  const isQuoted = [`'`, '"', '`'].some((quote) => source.includes(quote + sentence + quote))
  expect(isQuoted, `${file}: ${sentence}`).toBe(true)
}

const threats = rowsUnder('Attacks')
const advisories = rowsUnder('Advisories of neighbours')

it('has every threat once, in order', () => {
  const numbers = Array.from({ length: LAST }, (_, index) => `T${index + 1}`)
  expect(threats.map(([number]) => number)).toEqual(numbers)
  expect(PAGE.match(/^\| T\d+ \|/gm)).toHaveLength(LAST)
})

describe.each(threats)('%s', (number, ...cells) => {
  const [attack = '', rule = '', code = '', test = ''] = cells

  it('says what is attacked and which rule ends it', () => {
    expect(cells).toHaveLength(4)
    for (const text of [attack, rule]) expect(text).toMatch(/^.{30,}[.:]$/)
  })

  it('names code that is there', () => {
    const paths = code.split(', ').map((path) => /^`([\w./-]+)`$/.exec(path)?.[1] ?? '')
    expect(paths.filter((path) => path === '' || !existsSync(ROOT + path))).toEqual([])
  })

  it('names tests that are there', () => {
    for (const proof of proofsOf(test)) expectTest(proof)
    if (Number(number?.slice(1)) < FIRST_PENDING) expect(test).not.toContain('pending')
  })
})

describe.each(advisories)('%s', (_advisory, lesson, test = '', ...rest) => {
  it('has a lesson, and a test here', () => {
    expect(rest).toEqual([])
    expect(lesson).toMatch(/^.{30,}\.$/)
    for (const proof of proofsOf(test)) expectTest(proof)
  })
})

it('names every advisory that the code or a test is about', () => {
  const table = advisories.map(([advisory]) => advisory).join()
  const cited = filesBelow(['src', 'test'], '.ts')
    .flatMap((file) => readPage(file).match(/CVE-\d+-\d+|GHSA(?:-[a-z0-9]{4}){3}/g) ?? [])
    .filter((id) => !table.includes(id))
  expect(cited).toEqual([])
  expect(advisories.length).toBeGreaterThan(20)
})

describe('what is not built yet', () => {
  const metadata = authorizationServerMetadata('https://auth.example.com', [], {
    registration: true,
    grantTypes: [],
    clientMetadata: true,
  })

  it.each([
    ['T9', 'client_id_metadata_document_supported'],
    ['T21', 'revocation_endpoint'],
    ['T21', 'introspection_endpoint'],
  ])('%s: the metadata does not announce %s', (number, member) => {
    const row = threats.find(([own]) => own === number) ?? []
    expect(row.join().includes('not built yet: ')).toBe(!(member in metadata))
  })
})

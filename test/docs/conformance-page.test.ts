/**
 * docs/conformance.md: each demand names the test that has its number, each file of `test/conformance/` has a row, and
 * every test that it names is there.
 *
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ROOT, readPage, tableRows } from '../support/documentation.ts'

const PAGE = readPage('docs/conformance.md')
/** The short names of the column *File*; any other is that of a file of `test/conformance/`. */
const SHORT: Readonly<Record<string, string>> = {
  'mcp-as': 'test/conformance/mcp-2026-07-28-authorization-server.test.ts',
  'mcp-rs': 'test/conformance/mcp-2026-07-28-resource-server.test.ts',
  revisions: 'test/conformance/mcp-client-revisions.test.ts',
  e2e: 'test/e2e/conformance.test.ts',
}
const REVISIONS = ['2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28']

const section = (heading: string) => PAGE.split(`\n${heading}\n`)[1]?.split(/\n#/)[0] ?? ''
const rowsOf = (heading: string) => tableRows(section(heading)).slice(2)

/** The tests of a cell of the column *File*. */
const filesOf = (cell: string) =>
  cell.split(', ').map((name) => {
    const path = /^`(.+)`$/.exec(name)?.[1]
    return path ?? SHORT[name] ?? `test/conformance/${name}.test.ts`
  })

/** `A6 to A8, A14` as the four numbers. */
function numbersOf(cell: string): string[] {
  return cell.split(', ').flatMap((part) => {
    const [, letter = '', first, last] = /^([ART])(\d+)(?: to [ART](\d+))?$/.exec(part) ?? []
    if (first === undefined) return []
    const count = Number(last ?? first) - Number(first) + 1
    return Array.from({ length: count }, (_, index) => letter + (Number(first) + index))
  })
}

const DEMANDS = [
  ...rowsOf('### Demands of MCP on the authorization server'),
  ...rowsOf('### Demands of MCP on the protected server'),
].map(([rows = '', scenario = '', since = '', , files = '']) => ({ rows, scenario, since, files }))

describe('a demand of MCP', () => {
  it.each(DEMANDS)('$rows: $scenario', ({ rows, files }) => {
    const texts = filesOf(files).map((file) => readPage(file))
    for (const number of numbersOf(rows)) {
      const named = new RegExp(`\\b${number}\\b`)
      expect(
        texts.some((text) => named.test(text)),
        number,
      ).toBe(true)
    }
  })

  it('is of a known revision', () => {
    const named = DEMANDS.flatMap(({ since }) => since.split(', '))
    expect([...new Set(named)].sort()).toEqual(REVISIONS)
  })

  it('has a row, or a reason why it is not met', () => {
    const unmet = rowsOf('## Not met yet, and why').map(([demand = '']) => demand)
    const known = [
      ...DEMANDS.flatMap(({ rows }) => numbersOf(rows)),
      ...(unmet.join(' ').match(/R\d+/g) ?? []),
    ]
    const all = [...numbersOf('A1 to A36'), ...numbersOf('R1 to R24')]
    expect(all.filter((number) => !known.includes(number))).toEqual([])
  })
})

it('each file of test/conformance/ has a row among the standards', () => {
  const files = readdirSync(`${ROOT}test/conformance`).filter((name) => name.endsWith('.test.ts'))
  expect(files.filter((name) => !PAGE.includes(`](../test/conformance/${name})`))).toEqual([])
})

it('each test that the page names exists', () => {
  const named = [...PAGE.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path = '']) => path)
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((path) => !existsSync(ROOT + path))).toEqual([])
})

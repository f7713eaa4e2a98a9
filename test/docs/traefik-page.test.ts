/**
 * docs/proxies/traefik.md agrees with the code, where both contain the same list or sentence.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { IDENTITY_HEADERS } from '../../src/check/identity-headers.ts'
import { everyPage, ROOT, readPage, tableRows } from '../support/documentation.ts'
import { sourceFiles } from './imports.ts'

const COPIED = ['Authorization', 'Cookie', 'X-Api-Key', ...Object.keys(IDENTITY_HEADERS)]

/** Every list of copied headers in a text: a label, or a YAML list on one line or on several. */
function copiedHeaders(text: string): readonly (readonly string[])[] {
  const lists = text.matchAll(
    /authResponseHeaders(?:=|: \[|: *(?:&\w+ *)?\n)((?:[A-Z][\w-]*(?:, ?)?)+|(?:\s*- [A-Z][\w-]*\n)+)/g,
  )
  return [...lists].map(([, list = '']) => list.match(/[A-Z][A-Za-z-]*/g) ?? [])
}

describe('the headers that Traefik copies', () => {
  it.each([...everyPage(), 'traefik/dynamic.yml'])('are all of them in %s', (path) => {
    // The removed lines of a diff are no advice.
    const kept = readPage(path).replace(/^- {2,}.*$/gm, '')
    for (const list of copiedHeaders(kept)) expect(list).toEqual(COPIED)
  })

  it('stand three times on the Traefik page, and in the shipped file', () => {
    expect(copiedHeaders(readPage('docs/proxies/traefik.md')).length).toBe(3)
    expect(copiedHeaders(readPage('traefik/dynamic.yml')).length).toBe(1)
  })
})

describe('the trouble table of the Traefik page', () => {
  const source = sourceFiles()
    .map((file) => readFileSync(ROOT + file, 'utf8'))
    .join('\n')
  const trouble = readPage('docs/proxies/traefik.md').split('\n## Trouble\n')[1] ?? ''
  const quoted = tableRows(trouble).flatMap(([seen = '']) =>
    [...seen.matchAll(/"([^"]+)"/g)].map(([, sentence = '']) => sentence),
  )

  it('quotes what the program says', () => {
    expect(quoted.length).toBeGreaterThan(8)
  })

  it.each(quoted)('%s', (sentence) => {
    expect(source).toContain(sentence)
  })
})

/**
 * docs/browser-sessions.md quotes the program's own messages.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ROOT, readPage, tableRows } from '../support/documentation.ts'
import { sourceFiles } from './imports.ts'

describe('the trouble table of the page on browser sessions', () => {
  const source = sourceFiles()
    .map((file) => readFileSync(ROOT + file, 'utf8'))
    .join('\n')
  const trouble = readPage('docs/browser-sessions.md').split('\n## Trouble\n')[1] ?? ''
  const quoted = tableRows(trouble).flatMap(([seen = '']) =>
    [...seen.matchAll(/"([^"]+)"/g)].map(([, sentence = '']) => sentence),
  )

  it('has quotes', () => {
    expect(quoted.length).toBeGreaterThan(8)
  })

  it.each(quoted)('%s', (sentence) => {
    expect(source).toContain(sentence)
  })
})

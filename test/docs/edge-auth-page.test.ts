/**
 * docs/edge-auth.md agrees with the code, where both contain the same sentence.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ROOT, readPage } from '../support/documentation.ts'
import { sourceFiles } from './imports.ts'

const PAGE = readPage('docs/edge-auth.md')
const CODE = sourceFiles()
  .map((file) => readFileSync(ROOT + file, 'utf8'))
  .join('\n')

/** The program's messages, which the page puts in quotation marks; other quoted words are left out. */
const quoted = [...PAGE.replaceAll(/^```.*?^```$/gms, '').matchAll(/"([^"{}]+)"/g)]
  .map(([, sentence = '']) => sentence.replaceAll('\n', ' '))
  .filter((sentence) => !['edge auth', 'Allow', 'Block', '...', 'ok', 'error'].includes(sentence))

describe('a message that docs/edge-auth.md quotes', () => {
  it('is among many', () => {
    expect(quoted.length).toBeGreaterThan(8)
  })

  it.each([...new Set(quoted)])('%s', (sentence) => {
    expect(CODE).toContain(sentence)
  })
})

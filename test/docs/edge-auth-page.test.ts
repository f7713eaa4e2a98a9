/**
 * docs/edge-auth.md agrees with the code, wherever a sentence is written twice.
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

/** Sentences that the program says, in quotation marks; names in them are not. */
const quoted = [...PAGE.replaceAll(/^```.*?^```$/gms, '').matchAll(/"([^"{}]+)"/g)]
  .map(([, sentence = '']) => sentence.replaceAll('\n', ' '))
  .filter((sentence) => !['edge auth', 'Allow', 'Block', '...', 'ok', 'error'].includes(sentence))

describe('what docs/edge-auth.md quotes', () => {
  it('is a good deal', () => {
    expect(quoted.length).toBeGreaterThan(8)
  })

  it.each([...new Set(quoted)])('%s', (sentence) => {
    expect(CODE).toContain(sentence)
  })
})

/**
 * Plain English (docs/decisions/README.md): a sentence names its actor, so it does not begin with a headless "What", "Who",
 * "One", "Of" or "Nobody".
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { settings } from '../../src/config/schema.ts'
import {
  commentSentences,
  filesBelow,
  proseSentences,
  quotedSentences,
  sentencesOf,
} from './sentences.ts'

/** Questions may begin so; statements may not. */
const HEADLESS = /^(?:what(?:ever|soever)?|who(?:ever)?|whose|ones?|of|nobody)\b(?!.*\?$)/i

const TYPESCRIPT = filesBelow(['src', 'test', 'bench', 'scripts'], '.ts')
const PAGES = ['README.md', 'CHANGELOG.md', 'bench/README.md', ...filesBelow(['docs'], '.md')]

/** The headless ones, if they are more than one in a hundred. */
function tooMany(sentences: readonly string[]): readonly string[] {
  const headless = sentences.filter((sentence) => HEADLESS.test(sentence))
  return headless.length > sentences.length / 100 ? headless : []
}

describe('sentences', () => {
  it('are told apart', () => {
    expect(sentencesOf('It waits. What is late is lost (RFC 6749). `a` is b: c')).toEqual([
      'It waits.',
      'What is late is lost (RFC 6749).',
      '`a` is b: c',
    ])
    expect(tooMany(['What stands here is wrong.', 'The client wrote it.'])).toHaveLength(1)
    expect(tooMany(['What can I do?', 'Often it works.', 'Only one does.'])).toEqual([])
  })

  it('of comments name their actor', () => {
    const sentences = TYPESCRIPT.flatMap(commentSentences)
    expect(sentences.length).toBeGreaterThan(2000)
    expect(tooMany(sentences)).toEqual([])
  })

  it('of settings name their actor', () => {
    const sentences = settings.flatMap(({ description }) => sentencesOf(description))
    expect(sentences.length).toBeGreaterThan(60)
    expect(sentences.filter((sentence) => HEADLESS.test(sentence))).toEqual([])
  })

  it('of pages, problems and log lines name their actor', () => {
    const sentences = filesBelow(['src'], '.ts').flatMap(quotedSentences)
    expect(sentences.length).toBeGreaterThan(400)
    expect(tooMany(sentences)).toEqual([])
  })

  it('of the documentation name their actor', () => {
    const sentences = PAGES.flatMap(proseSentences)
    expect(sentences.length).toBeGreaterThan(800)
    expect(tooMany(sentences)).toEqual([])
  })

  it.each([...TYPESCRIPT, ...PAGES].filter((file) => !file.startsWith('test/docs/')))(
    '%s says "fix"',
    (file) => {
      const texts = file.endsWith('.md')
        ? proseSentences(file)
        : [...commentSentences(file), ...quotedSentences(file)]
      expect(texts.filter((text) => /\bmend(?:s|ed|ing)?\b/i.test(text))).toEqual([])
    },
  )
})

/**
 * The sentences that people read in this repository: comments, texts in quotes, and prose.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { ROOT, readPage } from '../support/documentation.ts'

/** Every file below these folders whose name ends so, as a path from the top of the repository. */
export function filesBelow(folders: readonly string[], ending: string): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(ending))
      .map((name) => `${folder}/${name}`),
  )
}

/** The sentences of all comments in a source file. */
export function commentSentences(file: string): readonly string[] {
  const blocks: string[] = []
  let lines: string[] = []
  const end = () => {
    if (lines.length > 0) blocks.push(lines.join(' '))
    lines = []
  }
  for (const line of readPage(file).split('\n')) {
    const text = /^\s*(?:\/\*\*?|\*\/?|\/\/)(.*?)(?:\*\/)?\s*$/.exec(line)?.[1]?.trim()
    const tag = /^@\w+(.*)$/.exec(text ?? '')
    // A tag, a table row or an item of a list begins a text of its own.
    if (!text || tag || /^[|-]/.test(text)) end()
    if (text && !tag && !/^[|]/.test(text)) lines.push(text.replace(/^- /, ''))
  }
  end()
  return blocks.flatMap(sentencesOf)
}

/** The sentences in the string literals of a source file: texts of at least four words. */
export function quotedSentences(file: string): readonly string[] {
  const code = readPage(file)
    .split('\n')
    .filter((line) => !/^\s*(?:\*|\/\/|\/\*)/.test(line))
    .join('\n')
  return [...code.matchAll(/'((?:\\.|[^'\\\n])*)'|`((?:\\.|[^`\\])*)`/g)]
    .map(([, single = '', template = '']) => single || template)
    .filter((text) => text.split(/\s+/).length >= 4)
    .flatMap(sentencesOf)
}

/** The sentences of a Markdown page, without code blocks; each cell of a table and each item is a text of its own. */
export function proseSentences(page: string): readonly string[] {
  const prose = readPage(page)
    .replace(/^```[\s\S]*?^```$/gm, '\n')
    .replace(/^#+ .*$/gm, '\n')
  return prose
    .split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|\n?\|/)
    .map((text) => text.replace(/^\s*(?:[-*>]|\d+\.)\s+/, '').replaceAll(/\s+/g, ' '))
    .flatMap(sentencesOf)
}

/** Splits a text where a full stop, a question mark or a colon ends a sentence. */
export function sentencesOf(text: string): readonly string[] {
  return text
    .split(/(?<=[.!?](?:[)"'*]*))\s+(?=[A-Z`"'(*])/)
    .map((sentence) => sentence.replace(/^[^\p{L}`]+/u, '').trim())
    .filter((sentence) => /\p{L}/u.test(sentence) && sentence.includes(' '))
}

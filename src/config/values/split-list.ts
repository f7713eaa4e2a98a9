/**
 * Splits a list that is written as one text: in the environment, in `.env` or as a flag.
 *
 * @module
 */
import { InvalidValue } from './problem.ts'

/**
 * The entries of a JSON list, or the parts between commas and line breaks. `\,` is a comma inside an entry, and `\\` a
 * backslash.
 * @throws InvalidValue for a text that looks like a list of another notation
 */
export function splitList(text: string): string[] {
  const trimmed = text.trim()
  if (!/^\[.*\]$/s.test(trimmed)) return splitAtCommas(text)
  const entries = jsonList(trimmed)
  if (entries) return entries
  // An IPv6 address of a URL.
  if (/^\[[0-9a-f:.]+\](?:$|[:,])/i.test(trimmed)) return splitAtCommas(text)
  throw new InvalidValue(
    'is in brackets, but it is not a JSON list of texts. Write a,b or ["a","b"].',
  )
}

function splitAtCommas(text: string): string[] {
  const entries = ['']
  for (const [piece] of text.matchAll(/\\[\\,]|./gsu)) {
    if (piece === ',' || piece === '\n') entries.push('')
    else
      entries.push(
        (entries.pop() ?? '') + (piece.length === 2 && piece[0] === '\\' ? piece[1] : piece),
      )
  }
  return entries
}

function jsonList(text: string): string[] | undefined {
  try {
    const list: unknown = JSON.parse(text)
    if (!Array.isArray(list)) return undefined
    const entries: readonly unknown[] = list
    const texts = entries.filter((entry) => typeof entry === 'string')
    return texts.length === entries.length ? texts : undefined
  } catch {
    return undefined
  }
}

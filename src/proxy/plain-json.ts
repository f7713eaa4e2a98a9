/**
 * JSON that every program reads alike, in little time. Pure.
 *
 * @module
 */

/** Deeper values are no arguments of a tool, and cost a parser much. */
export const MAX_DEPTH = 64

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * False if an object has a member twice, since readers differ on which counts, and for values within more than
 * {@link MAX_DEPTH} others.
 * @param text it is read once, character by character. The result for a text that is no JSON means nothing
 * @throws SyntaxError for some of those
 */
export function isPlainJson(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '{' || character === '[') {
      if (open.length === MAX_DEPTH) return false
      open.push(character === '{' ? new Set() : undefined)
    } else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      const end = endOfText(text, at)
      if (nextAfter(text, end) === ':') {
        const name = nameOf(text.slice(at, end + 1))
        const members = open.at(-1)
        if (members?.has(name)) return false
        members?.add(name)
      }
      at = end
    }
  }
  return true
}

/** Most names have no escape, and then the parser, which costs much for each, is not needed. */
const nameOf = (quoted: string): string =>
  quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)

/** The place of the quote that ends a text, or of the end of all. */
function endOfText(text: string, start: number): number {
  let at = start + 1
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) break
    if (code === BACKSLASH) at += 1
  }
  return at
}

/** The first character after a place that is no space (RFC 8259 section 2). */
function nextAfter(text: string, place: number): string | undefined {
  let at = place + 1
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at += 1
  return text[at]
}

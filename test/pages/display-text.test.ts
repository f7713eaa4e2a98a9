import { describe, expect, it } from 'vitest'
import { displayText, isolated } from '../../src/pages/display-text.ts'

describe('displayText', () => {
  it.each([
    ['right-to-left overrides', 'Cl\u202eedua\u202c', 'Cledua'],
    ['isolates', 'a\u2066b\u2069c', 'abc'],
    ['letters that take no room', 'Cl\u200bau\u2060de\u00ad', 'Claude'],
    ['control characters and line ends', 'Claude\r\nCode\u0000\u2028!', 'Claude Code !'],
    ['runs of spaces of every kind', '  Claude \u00a0\u3000 Code ', 'Claude Code'],
    [
      'towers of accents, but not accents',
      `e\u0301 z${'\u0335'.repeat(50)}`,
      'e\u0301 z\u0335\u0335\u0335',
    ],
    ['lone surrogates', 'Claude\ud800', 'Claude'],
  ])('takes out %s', (_, value, expected) => {
    expect(displayText(value)).toBe(expected)
  })

  it('leaves names in any script and joined emoji alone', () => {
    for (const name of ['ملاحظات', 'می\u200cخواهم', '笔记', 'Ω-Notes (2)', '👩\u200d💻', '❤\ufe0f'])
      expect(displayText(name)).toBe(name)
  })

  it('falls back where nothing is left to see', () => {
    for (const name of ['', '   ', '\u200b\u3164', '\u202e', '\u200d'])
      expect(displayText(name, 'A program')).toBe('A program')
  })
})

describe('isolated', () => {
  it('puts the text into an element of its own and escapes it', () => {
    expect(isolated('<i>\u202e').toString()).toBe('<bdi>&lt;i&gt;</bdi>')
  })
})

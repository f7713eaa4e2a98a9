import { expect, it } from 'vitest'
import { textLine } from '../../src/telemetry/text-lines.ts'

const PLAIN = { colour: false }
const at = new Date(2026, 10, 21, 9, 5, 7).toISOString()
const line = (entry: object) => textLine(JSON.stringify({ level: 30, time: at, ...entry }), PLAIN)

it('is time, level, words, and the fields', () => {
  expect(
    line({ event: 'signed-in', user: 'ann@example.com', scopes: ['a', 'b'], msg: 'signed in' }),
  ).toBe('09:05:07 info  signed in  user=ann@example.com scopes="a, b"\n')
  expect(line({ level: 40, msg: 'x', client: 'Claude "Code"' })).toBe(
    '09:05:07 warn  x  client="Claude \\"Code\\""\n',
  )
  expect(line({ msg: 'stopping' })).toBe('09:05:07 info  stopping\n')
})

it('shows no character that moves the cursor, colours, or turns the writing', () => {
  const hostile = 'a\u001b[2J\u009b31m\r\n\u202e\u2066b\u2028c\u0000'
  const text = line({ msg: hostile, client: hostile, err: { stack: hostile } })
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  expect(text).toContain('\\u{202e}')
  expect(textLine(`no JSON ${hostile}`, PLAIN).trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u)
})

it('shows the stack of an error below its line', () => {
  const text = line({ level: 50, msg: 'unexpected error', err: { stack: 'Error: x\n    at y' } })
  expect(text.split('\n')).toEqual([
    '09:05:07 error unexpected error',
    '         Error: x',
    '             at y',
    '',
  ])
})

it('colours warnings and errors where the terminal can', () => {
  const [warning, info] = [40, 30].map((level) =>
    textLine(JSON.stringify({ level, time: at, msg: 'x' }), { colour: true }),
  )
  expect(warning).toBe('09:05:07 \u001b[33mwarn \u001b[0m x\n')
  expect(info).not.toContain('\u001b')
})

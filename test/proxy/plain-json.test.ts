/** The first reading of a judged body: its work is bounded by the number of characters, whatever they are. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isPlainJson, MAX_DEPTH } from '../../src/proxy/plain-json.ts'
import { judgeCalls } from '../../src/proxy/tool-calls.ts'

afterEach(() => void vi.restoreAllMocks())

describe('one body cannot keep the process busy', () => {
  it('by brackets: they are refused before anything is parsed', () => {
    const parse = vi.spyOn(JSON, 'parse')
    const head = {
      headers: {},
      rawHeaders: ['Content-Type', 'application/json'],
    }
    const refused = { kind: 'unreadable' }
    for (const bracket of ['[', '{"a":']) {
      const body = Buffer.from(bracket.repeat(50_000))
      expect(judgeCalls(body, head, new Set())).toEqual(refused)
    }
    expect(parse).not.toHaveBeenCalled()
    expect(isPlainJson('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH))).toBe(true)
  })

  it('by names: only those with an escape are parsed one by one', () => {
    const parse = vi.spyOn(JSON, 'parse')
    const names = Array.from({ length: 1000 }, (_, index) => `"${index}":0`)
    expect(isPlainJson(`{${names.join()}}`)).toBe(true)
    expect(parse).not.toHaveBeenCalled()
    expect(isPlainJson('{"a":0,"\\u0061":0}')).toBe(false)
    expect(parse).toHaveBeenCalledTimes(1)
  })

  it('by long names: they are not compared with those of the protocol', () => {
    const normalize = vi.spyOn(String.prototype, 'normalize')
    const name = 'x'.repeat(13)
    const body = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":{},"${name}":0}`)
    const head = { headers: {}, rawHeaders: ['Content-Type', 'application/json'] }
    expect(judgeCalls(body, head, new Set())).toBeUndefined()
    expect(normalize.mock.contexts.map(String)).not.toContain(name)
  })
})

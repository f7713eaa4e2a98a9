/**
 * Messages of MCP clients and servers: whatever they hold, the limit on tools lets no other tool through, and a server's
 * words about its scopes stay within bounds.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readSaidScopes } from '../../src/mcp/said-scopes.ts'
import { scopesOfTools } from '../../src/mcp/said-tools.ts'
import { isScopeToken } from '../../src/oauth/scope.ts'
import { createEventReader } from '../../src/outbound/event-reader.ts'
import { isPlainJson } from '../../src/proxy/plain-json.ts'
import { judgeCalls } from '../../src/proxy/tool-calls.ts'
import { bounded } from './runs.ts'

const ALLOWED = new Set(['read'])
const JSON_TYPE = { rawHeaders: ['Content-Type', 'application/json'], headers: {} }
const judge = (text: string) => judgeCalls(Buffer.from(text), JSON_TYPE, ALLOWED)

describe('the limit on tools', () => {
  const word = fc.constantFrom('read', 'write', 'tools/call', 'TOOLS/CALL', 'tools/list', 'Read')
  const params = fc.oneof(
    fc.record({ name: fc.oneof(word, fc.jsonValue()), Name: word }, { requiredKeys: [] }),
    fc.jsonValue({ maxDepth: 2 }),
  )
  const message = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record(
        {
          jsonrpc: fc.constantFrom('2.0', '1.0', 2),
          id: fc.oneof(fc.nat(), fc.string(), fc.constant(null)),
          method: fc.oneof(word, fc.jsonValue({ maxDepth: 1 })),
          Method: word,
          params,
          PARAMS: params,
        },
        { requiredKeys: ['jsonrpc'] },
      ),
    },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  )
  const body = fc.oneof(message, fc.array(message, { maxLength: 3 }))

  /** The tools that a lenient server could find in a body. */
  const toolsIn = (value: unknown): unknown[] =>
    [value].flat().flatMap((one) => {
      if (typeof one !== 'object' || one === null) return []
      const member = (object: object, name: string) =>
        Object.entries(object).flatMap(([key, found]) =>
          key.toLowerCase() === name ? [found] : [],
        )
      if (!member(one, 'method').some((name) => String(name).toLowerCase() === 'tools/call'))
        return []
      return member(one, 'params').flatMap((found) =>
        typeof found === 'object' && found !== null ? member(found, 'name') : [],
      )
    })

  it('lets a body pass only if every reading of it calls an allowed tool or none', () => {
    fc.assert(
      fc.property(body, (value) => {
        const text = JSON.stringify(value)
        if (judge(text) !== undefined) return
        for (const tool of toolsIn(JSON.parse(text))) expect(ALLOWED.has(String(tool))).toBe(true)
      }),
      bounded(3),
    )
  })

  it('lets no body pass that is no JSON in UTF-8, or has a member twice', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(bytes, (content) => {
        const text = new TextDecoder().decode(content)
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        if (!isJson) expect(judgeCalls(Buffer.from(content), JSON_TYPE, ALLOWED)).toBeDefined()
      }),
      bounded(),
    )
    const name = fc.constantFrom('a', 'b', '\\u0061', 'ab')
    fc.assert(
      fc.property(fc.array(name, { maxLength: 4 }), fc.boolean(), (names, nested) => {
        const object = `{${names.map((one) => `"${one}": [1, "}"]`).join(' ,')}}`
        const plain = new Set(names.map((one) => JSON.parse(`"${one}"`)))
        expect(isPlainJson(nested ? `[{"x":${object}}]` : object)).toBe(plain.size === names.length)
      }),
      bounded(),
    )
  })
})

describe('an event stream', () => {
  it('has the same events in whatever pieces it arrives', () => {
    const line = fc.oneof(
      fc.constantFrom('', 'data', 'data:', ': a comment', 'event: message', 'id: 1', 'database: 1'),
      fc.string({ maxLength: 10 }).map((text) => `data: ${text}`),
    )
    const end = fc.constantFrom('\n', '\r', '\r\n')
    const stream = fc
      .array(fc.tuple(line, end), { maxLength: 12 })
      .map((lines) => lines.flat().join(''))
    fc.assert(
      fc.property(stream, fc.array(fc.nat(6), { maxLength: 40 }), (text, sizes) => {
        const whole = createEventReader()(text)
        const read = createEventReader()
        const events: string[] = []
        let at = 0
        for (const size of sizes) {
          events.push(...read(text.slice(at, at + size)))
          at += size
        }
        events.push(...read(text.slice(at)))
        expect(events).toEqual(whole)
      }),
      bounded(),
    )
  })
})

describe("a server's word about its scopes", () => {
  const entry = fc.oneof(
    fc.record(
      {
        name: fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('notes', 'offline_access')),
        description: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.jsonValue()),
        tools: fc.oneof(fc.array(fc.string({ maxLength: 5 })), fc.jsonValue()),
        annotations: fc.oneof(fc.constantFrom({ readOnlyHint: true }), fc.jsonValue()),
      },
      { requiredKeys: ['name'] },
    ),
    fc.jsonValue({ maxDepth: 1 }),
  )
  const list = fc.array(entry, { maxLength: 130 })

  it('gives names that a token can carry, each once, with short plain texts', () => {
    fc.assert(
      fc.property(list, (scopes) => {
        for (const said of [readSaidScopes({ scopes }), scopesOfTools(scopes)]) {
          const names = said.scopes.map(({ name }) => name)
          expect(new Set(names).size).toBe(names.length)
          expect(names.every(isScopeToken)).toBe(true)
          expect(names).not.toContain('offline_access')
          expect(names.length).toBeLessThanOrEqual(102)
          for (const { description } of said.scopes) {
            expect(description).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
          }
        }
      }),
      bounded(0.5),
    )
  })
})

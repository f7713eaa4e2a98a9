/**
 * The configuration file: whatever it holds, the program starts with a whole configuration or says what is wrong.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/config/values/problem.ts'
import { load } from '../config/harness.ts'
import { bounded } from './runs.ts'

const KEYS = [
  ...['resources', 'clients', 'users', 'allow', 'provider', 'static_tokens', 'public_url', 'brand'],
  ...[
    'scopes',
    'access_token_ttl',
    'trusted_proxies',
    'notes',
    'url',
    'upstream',
    'emails',
    'name',
  ],
]

/** @returns the problems; none if the configuration loads */
function problemsIn(yaml: string): readonly string[] {
  try {
    expect(Object.isFrozen(load({ yaml }).config)).toBe(true)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.problems.length).toBeGreaterThan(0)
    return error.problems
  }
}

describe('the configuration file', () => {
  it('of any text is read, or its problems are listed', () => {
    const scalar = fc.constantFrom(
      '1',
      'a',
      '*a',
      '*b',
      '&a x',
      '!!x y',
      '"',
      '[a, *a]',
      '{ b: 1 }',
    )
    const indent = fc.oneof({ weight: 6, arbitrary: fc.constant('') }, fc.constantFrom('  ', '- '))
    const lines = fc
      .array(fc.tuple(indent, scalar), { minLength: 1, maxLength: 4 })
      .map((all) => all.map(([start, value], n) => `${start}key${n}: ${value}\n`).join(''))
    const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 60 }), lines)
    fc.assert(
      fc.property(text, (yaml) => void problemsIn(yaml)),
      bounded(0.2),
    )
  })

  it('of any values under known keys is read, or its problems are listed', () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3, depthIdentifier: 'value' },
        fc.oneof(fc.string({ maxLength: 8 }), fc.integer(), fc.boolean(), fc.constant(null)),
        fc.constantFrom('https://mcp.example.com/a', '10m', 'ann@example.com', '10.0.0.0/8'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 4 }), (file) => {
        const { users: _, ...others } = file
        problemsIn(
          Object.entries(others)
            .map(([key, one]) => `${key}: ${JSON.stringify(one)}\n`)
            .join(''),
        )
      }),
      bounded(0.1),
    )
  })
})

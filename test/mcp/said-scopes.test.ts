/** Scopes as a server says them: what counts, and what does not. */
import { describe, expect, it } from 'vitest'
import { readSaidScopes } from '../../src/mcp/said-scopes.ts'

const read = (...scopes: readonly unknown[]) => readSaidScopes({ scopes })
const names = (...scopes: readonly unknown[]) => read(...scopes).scopes.map(({ name }) => name)

describe('the scopes that a server says', () => {
  it('have a name, a line of text, and tools', () => {
    expect(read({ name: 'a:b', description: 'Do it.', tools: ['x', 'y', 'x'] })).toEqual({
      scopes: [{ name: 'a:b', description: 'Do it.', tools: ['x', 'y'] }],
      leftOut: 0,
    })
    expect(read({ name: 'a' }).scopes).toEqual([{ name: 'a', description: 'Use "a"', tools: [] }])
  })

  it.each([undefined, null, 'scopes', [], {}, { scopes: 'a b' }, { scopes: { a: 1 } }])(
    'are none in %j',
    (meta) => expect(readSaidScopes(meta)).toEqual({ scopes: [], leftOut: 0 }),
  )

  it.each([
    'two words',
    'tab\there',
    'quote"',
    'back\\slash',
    'é',
    '',
    'x'.repeat(129),
    'offline_access',
    7,
    null,
  ])('count only as scope-tokens (RFC 6749 section 3.3), not %j', (name) => {
    expect(read({ name }, { name: 'good' })).toMatchObject({
      scopes: [{ name: 'good' }],
      leftOut: 1,
    })
  })

  it('count by their first entry where a name comes twice', () => {
    expect(read({ name: 'a', tools: ['x'] }, { name: 'a', tools: ['x', 'y'] })).toMatchObject({
      scopes: [{ name: 'a', tools: ['x'] }],
      leftOut: 1,
    })
  })

  it('may be called like members of an object', () => {
    expect(names({ name: '__proto__' }, { name: 'constructor' })).toEqual([
      '__proto__',
      'constructor',
    ])
  })

  it.each([
    { tools: 'x' },
    { tools: [1] },
    { tools: [''] },
    { tools: ['x'.repeat(129)] },
    { tools: Array.from({ length: 501 }, (_, index) => `t${index}`) },
    { description: 7 },
  ])('are left out whole with tools or texts that cannot be shown: %#', (odd) => {
    expect(names({ name: 'a', ...odd }, { name: 'b' })).toEqual(['b'])
  })

  it('are a hundred at most, and fit into a header', () => {
    const many = Array.from({ length: 150 }, (_, index) => ({ name: `s${index}` }))
    expect(read(...many)).toMatchObject({ scopes: { length: 100 }, leftOut: 50 })
    const long = many.map(({ name }) => ({ name: name.padEnd(128, 'x') }))
    expect(names(...long).join(' ').length).toBeLessThanOrEqual(8000)
  })

  it('open 2,000 tools together at most, and a scope above that is left out whole', () => {
    const many = Array.from({ length: 100 }, (_, place) => ({
      name: `s${place}`,
      tools: Array.from({ length: 500 }, (__, index) => `t${index}`),
    }))
    const said = read(...many, { name: 'late', tools: ['t1'] })
    expect(said.scopes.map(({ name }) => name)).toEqual(['s0', 's1', 's2', 's3'])
    expect(names(...many.slice(0, 5), { name: 'without' })).toEqual([
      ...['s0', 's1', 's2', 's3'],
      'without',
    ])
  })

  it('T16: have a description of one line, without characters that turn or hide text', () => {
    const [scope] = read({
      name: 'a',
      description: 'Read\n\u202enotes\u200b\u0000 <b>now</b>',
    }).scopes
    expect(scope?.description).toBe('Read notes <b>now</b>')
    const [empty] = read({ name: 'a', description: '\u200b\n' }).scopes
    expect(empty?.description).toBe('Use "a"')
    const [long] = read({ name: 'a', description: '👩‍🚀'.repeat(500) }).scopes
    expect([...(long?.description ?? '')].length).toBeLessThanOrEqual(200)
  })
})

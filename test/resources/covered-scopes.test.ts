/** The scopes that cover others are compared once for all pages. */
import { expect, it } from 'vitest'
import { type AnnouncedScope, liveScopes } from '../../src/resources/announced-scopes.ts'
import { coversOf } from '../../src/resources/covered-scopes.ts'

it('B8: a scope covers those whose tools are all its own, and equal ones cover each other', () => {
  const covers = coversOf(
    new Map([
      ['all', ['a', 'b', 'c']],
      ['some', ['b', 'a', 'a']],
      ['same', ['a', 'b']],
      ['other', ['d']],
      ['unknown', []],
    ]),
  )
  expect(Object.fromEntries(covers)).toEqual({
    all: new Set(['some', 'same']),
    some: new Set(['same']),
    same: new Set(['some']),
    other: new Set(),
  })
})

it('many pages for strangers cost one comparison, until the server says something else', () => {
  const scopeOf = (name: string, ...tools: string[]): AnnouncedScope => ({
    name,
    description: name,
    tools,
  })
  let said: readonly AnnouncedScope[] = [scopeOf('large', 'a', 'b'), scopeOf('small', 'a')]
  const live = liveScopes(
    {
      id: 'notes',
      scopes: {},
      defaultScopes: [],
      scopesBeside: {},
      upstream: 'http://localhost:3000',
    },
    { of: () => said, fresh: () => undefined },
  )
  const first = live().scopeCovers
  expect(first.get('large')).toEqual(new Set(['small']))
  expect(live().scopeCovers).toBe(first)
  said = [scopeOf('large', 'a'), scopeOf('small', 'b')]
  expect(live().scopeCovers.get('large')).toEqual(new Set())
})

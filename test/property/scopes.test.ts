/**
 * Scopes and codes: whatever is asked for or typed, no more is granted than the rules allow.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Choice,
  choiceOf,
  chosenScopes,
  offeredScopes,
} from '../../src/login/chosen-scopes.ts'
import {
  CODES_OF_A_PLACE,
  normalizedUserCode,
  placeOf,
  shownUserCode,
  userCodeAt,
} from '../../src/oauth/device/user-code.ts'
import { grantedScopes, OFFLINE_ACCESS, parseScope } from '../../src/oauth/scope.ts'
import { coversOf } from '../../src/resources/covered-scopes.ts'
import { bounded } from './runs.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const
const some = fc.subarray([...NAMES])
const rules = fc
  .record({ offered: some, required: some, standard: some })
  .map(({ offered, required, standard }) => ({
    scopes: Object.fromEntries(offered.map((name) => [name, name])),
    requiredScopes: required.filter((name) => offered.includes(name)),
    defaultScopes: standard.filter((name) => offered.includes(name)),
    areScopesAnnounced: false,
    scopeTools: new Map<string, readonly string[]>(),
    scopeCovers: coversOf(new Map()),
  }))
/** The tools that a server says its scopes open. */
const toolsOf = fc
  .array(fc.subarray(['read', 'write', 'delete', 'list']), { minLength: 5, maxLength: 5 })
  .map((lists) => new Map(NAMES.map((name, index) => [name as string, lists[index] ?? []])))
const asked = fc.array(fc.oneof(fc.constantFrom(...NAMES, OFFLINE_ACCESS), fc.string()))

describe('granted scopes', () => {
  it('are scopes of the server, with all that it requires', () => {
    fc.assert(
      fc.property(rules, asked, (given, names) => {
        const granted = grantedScopes(parseScope(names.join(' ')), given)
        for (const scope of granted) {
          expect(scope === OFFLINE_ACCESS || Object.hasOwn(given.scopes, scope)).toBe(true)
        }
        for (const scope of given.requiredScopes) expect(granted).toContain(scope)
        expect(new Set(granted).size).toBe(granted.length)
      }),
      bounded(),
    )
  })

  it('B7, B8: are never more than the page offered and its ticked boxes cover, however the form is filled in', () => {
    fc.assert(
      fc.property(rules, toolsOf, asked, asked, (rule, scopeTools, names, ticked) => {
        const given = { ...rule, scopeTools, scopeCovers: coversOf(scopeTools) }
        const granted = grantedScopes(parseScope(names.join(' ')), given)
        const offered = offeredScopes(granted, given)
        const form = new Map([
          ['choice', [choiceOf(offered)]],
          ['scope', ticked],
        ])
        let choice: Choice
        try {
          choice = chosenScopes(form, granted, given)
        } catch {
          return
        }
        const chosen = choice.kind === 'chosen' ? choice.scopes : []
        for (const scope of chosen) {
          expect(granted).toContain(scope)
          if (!offered.some(({ name, hasBox }) => name === scope && hasBox)) continue
          const opened = ticked.flatMap((name) => scopeTools.get(name) ?? [])
          const isCovered = (scopeTools.get(scope) ?? []).every((tool) => opened.includes(tool))
          if (!ticked.includes(scope)) expect(isCovered).toBe(true)
        }
        if (choice.kind === 'chosen') {
          for (const scope of given.requiredScopes) expect(chosen).toContain(scope)
        }
      }),
      bounded(),
    )
  })

  it('B8: cover one another without a circle, so each box can be left out', () => {
    fc.assert(
      fc.property(toolsOf, (scopeTools) => {
        const scopes = Object.fromEntries(NAMES.map((name) => [name, name]))
        const offered = offeredScopes(NAMES, {
          scopes,
          requiredScopes: [],
          scopeTools,
          scopeCovers: coversOf(scopeTools),
          areScopesAnnounced: true,
        })
        for (const { name, covers } of offered) {
          expect(covers).not.toContain(name)
          for (const other of covers) {
            const back = offered.find((one) => one.name === other)?.covers ?? []
            expect(back).not.toContain(name)
          }
        }
      }),
      bounded(),
    )
  })
})

describe('the code of a device', () => {
  const code = fc
    .tuple(fc.nat(65_535), fc.nat(CODES_OF_A_PLACE - 1))
    .map(([place, index]) => ({ place, text: userCodeAt(place, index) }))

  it('leads to its place', () => {
    fc.assert(
      fc.property(code, ({ place, text }) => {
        expect(placeOf(text)).toBe(place)
      }),
      bounded(),
    )
  })

  it('is read in any case and with anything between its letters', () => {
    const noise = fc.stringMatching(/^[^A-Za-z]{0,3}$/)
    fc.assert(
      fc.property(
        code,
        fc.array(noise, { maxLength: 9 }),
        fc.boolean(),
        ({ text }, between, lower) => {
          const letters = [...(lower ? text.toLowerCase() : text)]
          const typed = letters.map((letter, n) => (between[n] ?? '') + letter).join('')
          expect(normalizedUserCode(typed)).toBe(text)
          expect(normalizedUserCode(shownUserCode(text))).toBe(text)
        },
      ),
      bounded(),
    )
  })
})

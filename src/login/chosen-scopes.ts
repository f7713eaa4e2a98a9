/**
 * The scopes that a person grants of those that a client asked for (B7): where a client asks for several, each that the
 * server does not need at all has a box on the consent page. A scope that opens every tool of another one covers it: with
 * the larger one ticked, the smaller one changes nothing, so it is granted too (B8). Pure.
 *
 * @module
 */
import { sha256 } from '../crypto.ts'
import { PageError } from '../errors.ts'
import { OFFLINE_ACCESS } from '../oauth/scope.ts'
import type { Resource } from '../resources/resource-table.ts'
import { type Parameters, several, single } from '../url/parameters.ts'

/** The names of the form's fields: the page has boxes, and which; a ticked box. */
export const HAS_CHOICE = 'choice'
export const CHOSEN_SCOPE = 'scope'

/** A form has room for that many boxes (`url/parameters.ts`); of longer lists a person takes all or nothing. */
const MAX_BOXES = 100

/** A scope on the page; without a box it is granted with any other. */
export interface OfferedScope {
  readonly name: string
  readonly description: string
  readonly hasBox: boolean
  /** The tools that it opens, where the server says so. */
  readonly tools: readonly string[]
  /** The names of those with a box that it covers. */
  readonly covers: readonly string[]
}

export type Offering = Pick<
  Resource,
  'scopes' | 'requiredScopes' | 'scopeTools' | 'scopeCovers' | 'areScopesAnnounced'
>

/** The scopes that a consent page shows, in the order of the request. */
export function offeredScopes(
  asked: readonly string[],
  { scopes, requiredScopes, scopeTools, scopeCovers }: Offering,
): readonly OfferedScope[] {
  const shown = asked.filter((scope) => scope !== OFFLINE_ACCESS)
  const covers = (name: string, other: string) => scopeCovers.get(name)?.has(other) === true
  const covered = shown.map((name, index) =>
    shown.filter(
      // Of two equal ones the first covers the second: otherwise neither could be left out.
      (other, place) => covers(name, other) && (!covers(other, name) || index < place),
    ),
  )
  const isList = shown.length > 1 && shown.length <= MAX_BOXES
  const isFixed = (name: string) =>
    requiredScopes.includes(name) ||
    requiredScopes.some((needed) => covered[shown.indexOf(needed)]?.includes(name))
  return shown.map((name, index) => ({
    name,
    description: (Object.hasOwn(scopes, name) && scopes[name]) || name,
    hasBox: isList && !isFixed(name),
    tools: scopeTools.get(name) ?? [],
    covers: isList ? (covered[index] ?? []).filter((other) => !isFixed(other)) : [],
  }))
}

/** The value of {@link HAS_CHOICE}: which boxes the page has, and what it says about them by the server's own word. */
export function choiceOf(offered: readonly OfferedScope[]): string {
  const said = offered.filter(({ tools }) => tools.length > 0)
  return said.length === 0 ? 'boxes' : `boxes-${sha256(JSON.stringify(offered)).slice(0, 11)}`
}

export type Choice =
  | { readonly kind: 'chosen'; readonly scopes: readonly string[] }
  /** Nothing is left that a server knows. */
  | { readonly kind: 'nothing' }
  /** The answer says two things: it ticks tools, and does not choose to use those alone. */
  | { readonly kind: 'unclear' }
  /** The server says something else about its scopes by now: the person has to see that first. */
  | { readonly kind: 'changed' }

/**
 * The scopes that the person left ticked, those that they cover, those without a box, and `offline_access` if the client
 * asked for it. A form without boxes grants all that was asked for.
 * @throws PageError for a scope that the page did not offer
 */
export function chosenScopes(
  form: Parameters,
  asked: readonly string[],
  resource: Offering,
): Choice {
  if (!form.has(HAS_CHOICE)) return { kind: 'chosen', scopes: asked }
  const ticked = several(form, CHOSEN_SCOPE)
  const offered = offeredScopes(asked, resource)
  if (single(form, HAS_CHOICE) !== choiceOf(offered)) return { kind: 'changed' }
  const boxes = offered.filter(({ hasBox }) => hasBox)
  if (!ticked.every((scope) => boxes.some(({ name }) => name === scope))) {
    throw unreadable()
  }
  const granted = new Set(
    offered
      .filter(({ name, hasBox }) => !hasBox || ticked.includes(name))
      .flatMap(({ name, covers }) => [name, ...covers]),
  )
  const left = asked.filter((scope) => granted.has(scope) || scope === OFFLINE_ACCESS)
  return left.some((scope) => scope !== OFFLINE_ACCESS)
    ? { kind: 'chosen', scopes: left }
    : { kind: 'nothing' }
}

/** For an answer with a choice that its page did not offer. */
export function unreadable(): PageError {
  return new PageError({
    kind: 'retry',
    title: 'That answer could not be read',
    text: 'Go back and choose again.',
    details: 'a scope in the answer was not on the page',
  })
}

/**
 * The scopes that a person grants of those that a client asked for (B7): where a client asks for several, each that the
 * server does not need at all has a box on the consent page. Pure.
 *
 * @module
 */
import { PageError } from '../errors.ts'
import { OFFLINE_ACCESS, type ScopeRules } from '../oauth/scope.ts'
import { type Parameters, several } from '../url/parameters.ts'

/** The names of the form's fields: the page has boxes; a ticked box. */
export const HAS_CHOICE = 'choice'
export const CHOSEN_SCOPE = 'scope'

/** A form has room for that many boxes (`url/parameters.ts`); of longer lists a person takes all or nothing. */
const MAX_BOXES = 100

/** A scope on the page; without a box it is granted with any other. */
export interface OfferedScope {
  readonly name: string
  readonly hasBox: boolean
}

type Required = Pick<ScopeRules, 'requiredScopes'>

/** The scopes that a consent page shows, in the order of the request. */
export function offeredScopes(
  asked: readonly string[],
  { requiredScopes }: Required,
): readonly OfferedScope[] {
  const shown = asked.filter((scope) => scope !== OFFLINE_ACCESS)
  const isList = shown.length > 1 && shown.length <= MAX_BOXES
  return shown.map((name) => ({ name, hasBox: isList && !requiredScopes.includes(name) }))
}

/**
 * The scopes that the person left ticked, those without a box, and `offline_access` if the client asked for it;
 * undefined if nothing is left that a server knows. A form without boxes grants all that was asked for.
 * @throws PageError for a scope that the page did not offer
 */
export function chosenScopes(
  form: Parameters,
  asked: readonly string[],
  rules: Required,
): readonly string[] | undefined {
  if (!form.has(HAS_CHOICE)) return asked
  const ticked = several(form, CHOSEN_SCOPE)
  const boxes = offeredScopes(asked, rules).filter(({ hasBox }) => hasBox)
  if (!ticked.every((scope) => boxes.some(({ name }) => name === scope))) {
    throw new PageError({
      kind: 'retry',
      title: 'That answer could not be read',
      text: 'Go back and choose again.',
      details: 'a scope in the answer was not on the page',
    })
  }
  const left = asked.filter(
    (scope) => ticked.includes(scope) || !boxes.some(({ name }) => name === scope),
  )
  return left.some((scope) => scope !== OFFLINE_ACCESS) ? left : undefined
}

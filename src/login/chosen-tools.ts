/**
 * The tools that a person lets a client use, where the setting `tool_choices` lets people choose: all that the client
 * asked for, those that only read, or single ones. Pure.
 *
 * @module
 */
import { sha256 } from '../crypto.ts'
import { OFFLINE_ACCESS } from '../oauth/scope.ts'
import type { Resource } from '../resources/resource-table.ts'
import { ALL_TOOLS, READING_TOOLS, toolScope } from '../resources/tool-choices.ts'
import { type Parameters, several, single } from '../url/parameters.ts'
import {
  type Choice,
  chosenScopes,
  HAS_CHOICE,
  type Offering,
  unreadable,
} from './chosen-scopes.ts'

/** The names of the form's fields: which of the choices; a ticked tool. */
const WHICH_TOOLS = 'tools'
const CHOSEN_TOOL = 'tool'

export interface ToolOffer {
  /** The client asked for all tools. */
  readonly mayUseAll: boolean
  /** The tools that only read, by the word of the server; undefined if it said none. */
  readonly reading: readonly string[]
  /** Each tool that can be chosen by itself, with words for people. */
  readonly single: readonly { readonly name: string; readonly description: string }[]
}

type ToolResource = Offering & Pick<Resource, 'hasToolChoices'>

/** The choices that a page shows; undefined where a person chooses among scopes. */
export function offeredTools(
  asked: readonly string[],
  { hasToolChoices, scopeTools, scopes }: ToolResource,
): ToolOffer | undefined {
  const mayUseAll = asked.includes(ALL_TOOLS)
  if (!hasToolChoices || !(mayUseAll || asked.includes(READING_TOOLS))) return undefined
  const within = mayUseAll ? ALL_TOOLS : READING_TOOLS
  const single = (scopeTools.get(within) ?? []).flatMap((name) => {
    const scope = toolScope(name)
    return Object.hasOwn(scopes, scope) ? [{ name, description: scopes[scope] ?? name }] : []
  })
  return { mayUseAll, reading: scopeTools.get(READING_TOOLS) ?? [], single }
}

/** Tells which offer a page made: it comes back with the answer. */
export const offerMark = (offer: ToolOffer): string =>
  `tools-${sha256(JSON.stringify(offer)).slice(0, 11)}`

/**
 * The scopes that the answer of a person grants, whatever the page let them choose.
 * @throws PageError for a tool or scope that the page did not offer
 */
export function chosenOf(
  form: Parameters,
  asked: readonly string[],
  resource: ToolResource,
): Choice {
  const offer = offeredTools(asked, resource)
  if (!offer || !form.has(HAS_CHOICE)) return chosenScopes(form, asked, resource)
  if (single(form, HAS_CHOICE) !== offerMark(offer)) return { kind: 'changed' }
  const rest = asked.filter((scope) => scope === OFFLINE_ACCESS)
  const which = single(form, WHICH_TOOLS)
  const ticked = [...new Set(several(form, CHOSEN_TOOL))]
  // Without a script a person can tick tools and overlook the choice above them: that must not grant all.
  if (which !== 'single' && ticked.length > 0) return { kind: 'unclear' }
  switch (which) {
    case 'all':
      if (!offer.mayUseAll) throw unreadable()
      return { kind: 'chosen', scopes: [ALL_TOOLS, ...rest] }
    case 'reading':
      return { kind: 'chosen', scopes: [READING_TOOLS, ...rest] }
    case 'single': {
      if (!ticked.every((tool) => offer.single.some(({ name }) => name === tool))) {
        throw unreadable()
      }
      return ticked.length === 0
        ? { kind: 'nothing' }
        : { kind: 'chosen', scopes: [...ticked.map(toolScope), ...rest] }
    }
    default:
      throw unreadable()
  }
}

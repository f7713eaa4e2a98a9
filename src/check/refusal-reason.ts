/**
 * Turns a decision that signing in cannot change into the reason on the page for the person.
 *
 * @module
 */
import type { Verified } from '../credentials/credential.ts'
import type { RefusalReason } from '../pages/refused-page.ts'
import type { Decision } from './decide.ts'

export type Refusal = Extract<Decision, { readonly kind: 'insufficient-scope' | 'forbid' }>

export const refusalReason = ({ kind, verified }: Refusal): RefusalReason => ({
  kind: kind === 'forbid' ? 'person' : 'permission',
  person: nameOf(verified),
})

/** The name by which a page calls its reader; no server sees it. */
export const nameOf = ({ person, sub }: Verified): string =>
  person.email ?? person.name ?? person.preferredUsername ?? sub

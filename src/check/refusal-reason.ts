/**
 * Turns a decision that signing in cannot change into the reason on the page for the person.
 *
 * @module
 */
import type { Verified } from '../credentials/credential.ts'
import type { RefusalReason } from '../pages/refused-page.ts'
import type { Decision } from './decide.ts'

export type Refusal = Extract<Decision, { readonly kind: 'insufficient-scope' | 'forbid' }>

export function refusalReason(decision: Refusal): RefusalReason {
  switch (decision.kind) {
    case 'insufficient-scope':
      return { kind: 'permission', person: nameOf(decision.verified) }
    case 'forbid':
      return {
        kind: 'person',
        person: decision.verified ? nameOf(decision.verified) : 'this account',
      }
  }
}

/** The name by which a page calls its reader; no server sees it. */
export const nameOf = ({ person, sub }: Verified): string =>
  person.email ?? person.name ?? person.preferredUsername ?? sub

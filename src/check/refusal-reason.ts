/**
 * Turns a decision that signing in cannot change into the reason on the page for the person.
 *
 * @module
 */
import type { Verified } from '../credentials/credential.ts'
import type { RefusalReason } from '../pages/refused-page.ts'
import type { Decision } from './decide.ts'
import { displayUser } from './identity-headers.ts'

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

const nameOf = ({ person, sub }: Verified) =>
  person.email ?? person.name ?? displayUser(person, sub)

/**
 * The answer to a check, and what it depends on.
 *
 * @module
 */
import type { Resource, ResourceMatch } from '../resources/resource-table.ts'
import type { IdentityHeaders } from './identity-headers.ts'

/** An answer ready to be written. `headers` is a flat list of names and values. */
export interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body?: string
}

/** Whoever is told: a person reads a page, a program JSON. */
export interface Asker {
  readonly requestId: string
  /** True if a person opened the address in a browser. Asked for only where it makes a difference. */
  readonly isNavigation: () => boolean
}

/** What of the request an answer depends on. */
export interface AnswerContext extends Asker {
  readonly match: ResourceMatch
  /** The request target as sent, query and all. */
  readonly target: string
  readonly authorization: string | undefined
  readonly cookie: string | undefined
}

/** What every answer of a process has in common. */
export interface AnswerRules {
  readonly identityHeaders: IdentityHeaders
  /** True for cookies that must not reach the server. */
  readonly isOwnCookie: (name: string) => boolean
  /** Where a browser signs in for a page, and comes back to it; undefined if that would lead nowhere. */
  readonly signInUrl: (match: ResourceMatch, target: string) => string | undefined
  /** Where a browser ends its session at a resource. */
  readonly signOutUrl: (resource: Resource) => string
}

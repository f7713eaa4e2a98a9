/**
 * The answer to a check, and what it depends on.
 *
 * @module
 */
import type { Reader } from '../http/browser-request.ts'

import type { UserNames } from '../oauth/user-name.ts'
import type { Brand } from '../pages/brand.ts'

import type { Resource, ResourceMatch } from '../resources/resource-table.ts'
import type { AssertionsOfCallers } from './assertions.ts'
import type { IdentityHeaders } from './identity-headers.ts'

/** An answer ready to be written. `headers` is a flat list of names and values. */
export interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body?: string
}

/** The answer with further header lines, a flat list as in {@link Answer}. */
export const withLines = (answer: Answer, lines: readonly string[]): Answer => ({
  ...answer,
  headers: [...answer.headers, ...lines],
})

/** The requester of an answer: a person gets a page, a program gets JSON. */
export interface Asker {
  readonly requestId: string
  /** Called only where it makes a difference. */
  readonly reader: () => Reader
}

/** The parts of a request that its answer depends on. */
export interface AnswerContext extends Asker {
  readonly match: ResourceMatch
  /** The request target as sent, with its query. */
  readonly target: string
  /** The `Referer`. Called only where it makes a difference. */
  readonly referer: () => string | undefined
  readonly authorization: string | undefined
  /** The value of the header for API keys, which may be the application's own. */
  readonly apiKey: string | undefined
  readonly cookie: string | undefined
}

/** The rules that all answers of a process share. */
export interface AnswerRules {
  readonly identityHeaders: IdentityHeaders
  /** Absent unless an identity header carries an assertion. */
  readonly assertions?: AssertionsOfCallers | undefined
  readonly userNames: UserNames
  /** The name of the header for API keys. */
  readonly apiKeyHeader: string
  /** True for cookies that must not reach the server. */
  readonly isOwnCookie: (name: string) => boolean
  /** The URL where a browser signs in for a page before it returns there; undefined if no login leads back. */
  readonly signInUrl: (match: ResourceMatch, target: string) => string | undefined
  readonly brand: Pick<Brand, 'askForAccess'>
  /** The URL where a browser ends its session at a resource. */
  readonly signOutUrl: (resource: Resource) => string
}

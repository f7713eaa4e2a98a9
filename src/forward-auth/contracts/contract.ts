/**
 * What one proxy family tells us about the request it asks for, and what it passes on of our answer. Each family
 * trusts exactly its own headers (decision K20, forward-auth 5.3: never "try one family, then the other").
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Answer } from '../../check/answer.ts'
import type { ForwardedRequest } from '../../check/check.ts'
import type { Verified } from '../../credentials/credential.ts'

/** Why it cannot be said which request is asked about, in words. */
export interface Unlocated {
  /** `doubled`: neither of two lines can be believed, which is a malformed request. */
  readonly problem: 'missing' | 'doubled' | 'unusable'
  readonly reason: string
}

export type Located = ForwardedRequest | Unlocated

export interface Contract {
  /** Names the endpoint `/auth/<family>`. */
  readonly family: string
  locate(request: IncomingMessage): Located
  /**
   * The answer in a form this family passes on.
   * @param verified whose credential it was, where one was verified
   */
  adapt(answer: Answer, verified?: Verified): Answer
}

export const missing = (header: string): Unlocated => ({
  problem: 'missing',
  reason: `${header} is missing`,
})

export const doubled = (header: string): Unlocated => ({
  problem: 'doubled',
  reason: `${header} is doubled`,
})

/** What cannot be used, and why. */
export const unusable = (reason: string): Unlocated => ({ problem: 'unusable', reason })

/**
 * How one proxy family asks, and which answers it passes on. A contract owns this translation only: `check/` decides.
 * Each family trusts exactly its own headers (decision K20, forward-auth 5.3: never "try one family, then the other").
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Answer } from '../../check/answer.ts'
import type { ForwardedRequest } from '../../check/check.ts'
import type { Verified } from '../../credentials/credential.ts'

/** The reason why a question names no request, in words. */
export interface Unlocated {
  /** `doubled`: the header has two lines, and neither can be trusted. The request is malformed. */
  readonly problem: 'missing' | 'doubled' | 'unusable'
  readonly reason: string
  /** The host that was asked for, if no protected server is there. */
  readonly asked?: string
}

export type Located = ForwardedRequest | Unlocated

export interface Contract {
  /** Names the endpoint `/auth/<family>`. */
  readonly family: string
  locate(request: IncomingMessage): Located
  /**
   * Turns an answer into a form that this family passes on.
   * @param verified the caller, if a credential was verified
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

/** A header whose value cannot be used, and why. */
export const unusable = (reason: string): Unlocated => ({ problem: 'unusable', reason })

/**
 * What one proxy family tells us about the request it asks for, and what it passes on of our answer. Each family
 * trusts exactly its own headers (decision K20, forward-auth 5.3: never "try one family, then the other").
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Answer } from '../answer.ts'

/** The request a proxy asks about. */
export interface ForwardedRequest {
  readonly host: string
  /** Request target as the proxy has it, with query. */
  readonly target: string
  readonly method: string
}

export type Located =
  | ForwardedRequest
  | { readonly problem: 'missing' | 'doubled'; readonly header: string }

export interface Contract {
  /** Names the endpoint `/auth/<family>`. */
  readonly family: string
  locate(request: IncomingMessage): Located
  /** The answer in a form this family passes on. */
  adapt(answer: Answer): Answer
}

/**
 * What somebody signs in for. The login is the same for a client that asked and for a page in this browser; what
 * differs is here, one implementation each.
 *
 * @module
 */
import type { FastifyReply } from 'fastify'
import type { OAuthErrorCode } from '../errors.ts'
import type { ErrorAction } from '../pages/error-page.ts'
import type { Identity } from '../providers/provider.ts'
import type { Grant } from '../records/records.ts'
import type { Resource } from '../resources/resource-table.ts'

/** What a grant says beside who it is of. */
export type Terms = Pick<
  Grant,
  'clientHash' | 'clientName' | 'redirectHost' | 'resource' | 'scopes' | 'expiresAt'
>

/** Where a person who was let in goes on to. */
export interface Arrival {
  readonly location: string
  /** Sets what their browser keeps of it. Callers that share an arrival call it for each of their replies. */
  readonly mark?: (reply: FastifyReply) => Promise<void>
}

/** What whoever asked is told, in the characters of RFC 6749 section 4.1.2.1. */
export interface Refusal {
  readonly error: OAuthErrorCode
  readonly error_description: string
}

/** A way out that tells whoever asked what went wrong. */
export interface WayBack {
  readonly location: string
  /** In words, for a link. */
  readonly label: string
  /** The browser may be sent there without asking a person (decision K10). */
  readonly trusted: boolean
}

export interface Purpose {
  /** The program that asked; absent where it is the person. */
  readonly clientName?: string
  /**
   * Whose policy decides.
   * @throws PageError if it is no longer configured: that changed while the person was on the way
   */
  resource(): Resource
  /**
   * @param now seconds since the epoch
   * @throws PageError as {@link resource}
   */
  terms(now: number): Terms
  /** Turns the grant, which is stored, into what the person came for. */
  finish(grant: Grant, person: Identity): Promise<Arrival>
  /** What a page offers to a person who has to begin anew. */
  restart(): Promise<ErrorAction>
  /** The same for a person who may try once more where they are. */
  retry(): Promise<ErrorAction>
  /** Absent where nobody waits for an answer. */
  wayBack?(refusal: Refusal): WayBack
}

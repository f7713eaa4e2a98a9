/**
 * The purpose of a sign-in. The login is the same for a client that asked and for a page in this browser; this
 * interface holds the differences, and each purpose implements it once.
 *
 * @module
 */
import type { FastifyReply } from 'fastify'
import type { OAuthErrorCode } from '../errors.ts'
import type { ErrorAction } from '../pages/error-page.ts'
import type { Identity } from '../providers/provider.ts'
import type { Grant } from '../records/records.ts'
import type { Resource } from '../resources/resource-table.ts'

/** The fields of a grant that do not depend on the person. */
export type Terms = Pick<
  Grant,
  'clientHash' | 'clientName' | 'redirectHost' | 'resource' | 'scopes' | 'expiresAt'
>

/** The destination of a person who was let in. */
export interface Arrival {
  readonly location: string
  /** Sets cookies in the reply. Callers that share an arrival call this for each of their replies. */
  readonly setCookies?: (reply: FastifyReply) => Promise<void>
}

/** The error response for the client, in the characters of RFC 6749 section 4.1.2.1. */
export interface Refusal {
  readonly error: OAuthErrorCode
  readonly error_description: string
}

/** The way back to the client, which tells it what went wrong. */
export interface WayBack {
  readonly location: string
  /** The words of a link. */
  readonly label: string
  /** True if the browser may be sent there without asking the person (decision K10). */
  readonly trusted: boolean
}

export interface Purpose {
  /**
   * Makes the checks that the person's answer may still fail, before anything is written.
   * @throws PageError that tells the person
   */
  check?(): Promise<void>
  /** The name of the program that asked; absent where the person asked for a page. */
  readonly clientName?: string
  /**
   * The resource whose policy decides.
   * @throws PageError if it was removed from the configuration during the sign-in
   */
  resource(): Resource
  /**
   * @param now seconds since the epoch
   * @throws PageError as {@link resource}
   */
  terms(now: number): Terms
  /** Turns the stored grant into the client's authorization code, or the browser's session. */
  finish(grant: Grant, person: Identity): Promise<Arrival>
  /** The action that a page offers to a person who has to start again. */
  restart(): Promise<ErrorAction>
  /** The action for a person who may try the same step again. */
  retry(): Promise<ErrorAction>
  /** The action that tells the client that it gets nothing, where no browser can be sent to it. */
  giveUp?(): Promise<ErrorAction>
  /** Absent where no client waits for an answer. */
  wayBack?(refusal: Refusal): WayBack
}

/**
 * The parts that the routes of browser sessions share: their dependencies, and the host of a request.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { PageError } from '../errors.ts'
import { readerOfRequest } from '../http/browser-request.ts'
import type { LoginFlow } from '../login/flow.ts'
import type { Records } from '../records/records.ts'
import { normalizeHost } from '../url/host.ts'
import type { SessionTokens } from './cookie-token.ts'
import type { SignInRounds } from './sign-in-rounds.ts'
import type { SessionRules } from './target.ts'
import type { IssueSession } from './token-issuer.ts'

export interface SessionRoutes {
  readonly flow: LoginFlow
  readonly rules: SessionRules
  readonly records: Records
  readonly tokens: SessionTokens
  readonly issue: IssueSession
  readonly rounds: SignInRounds
}

/** A host that we answer at: the gateway's own, or one where resources live. */
export interface AskedHost {
  /** Normalized. */
  readonly host: string
  /** From the configuration, never from the request. */
  readonly origin: string
  readonly secure: boolean
  readonly isOwn: boolean
  /** Our origin. */
  readonly issuer: string
}

/** @throws PageError if we answer at no such host */
export function askedHost(request: FastifyRequest, { flow, rules }: SessionRoutes): AskedHost {
  const host = normalizeHost(request.headers.host ?? '')
  const isOwn = host === flow.host
  const origin = isOwn ? flow.issuer : host && rules.resources.originAt(host)
  if (!host || !origin) {
    throw new PageError({
      kind: 'client',
      status: 404,
      title: 'Not at this address',
      text: 'This address has nothing that you could sign in to. Go back to where you came from.',
      details: 'the host is neither that of PUBLIC_URL nor that of a resource',
    })
  }
  return { host, origin, secure: origin.startsWith('https:'), isOwn, issuer: flow.issuer }
}

/**
 * Refuses a request that is not a navigation: a script or an image cannot show a page, and must not change anything. A
 * service worker of an application passes the navigations of its host on, perhaps with another mode; on our own host
 * there is none.
 * @throws PageError
 */
export function refuseUnlessNavigation(request: FastifyRequest, { flow }: SessionRoutes): void {
  const mode = request.headers['sec-fetch-mode']
  if (mode === undefined || mode === 'navigate') return
  const isOwn = normalizeHost(request.headers.host ?? '') === flow.host
  if (!isOwn && readerOfRequest(request) === 'page') return
  throw new PageError({
    kind: 'client',
    status: 403,
    title: 'Open this page by itself',
    text: 'A part of another page asked for this page. This page only works when you open it yourself.',
    details: 'this address is for navigations, not for scripts and embedded content',
  })
}

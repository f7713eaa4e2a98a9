/**
 * The parts that the routes of browser sessions share: their dependencies, and the host of a request.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { PageError } from '../errors.ts'
import { readerOfRequest } from '../http/browser-request.ts'
import { refuseUnlessOpened } from '../http/own-pages.ts'
import type { LoginFlow } from '../login/flow.ts'
import { originOf } from '../paths.ts'
import type { Grant, Records } from '../records/records.ts'
import { isOwnHost, normalizeHost } from '../url/host.ts'
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
  /** The name of the person behind a grant, for events; undefined if it cannot be told now. Never rejects. */
  readonly userOfGrant: (grant: Grant) => Promise<string | undefined>
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
  const isOwn = host !== undefined && isOwnHost(host, flow.issuer)
  const origin = isOwn ? originOf(flow.issuer) : host && rules.resources.originAt(host)
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
 * Refuses a request that no person opened: on our own host by the strict rule of our pages. A service worker of an
 * application passes the navigations of its own host on, perhaps with another mode, so there the rule of checks holds; the
 * nonce cookie and the code that dies at its first sight protect that host (threat T37).
 * @throws PageError
 */
export function refuseUnlessNavigation(request: FastifyRequest, { flow }: SessionRoutes): void {
  const isOwn = isOwnHost(request.headers.host ?? '', flow.issuer)
  if (!isOwn && readerOfRequest(request) === 'page') return
  refuseUnlessOpened(request)
}

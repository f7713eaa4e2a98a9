/**
 * What the routes of browser sessions share: their dependencies, and the host they are asked at.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { PageError } from '../errors.ts'
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
  /** As configured, never the request's. */
  readonly origin: string
  readonly secure: boolean
  readonly isOwn: boolean
}

/** @throws PageError if nothing of ours is at the host */
export function askedHost(request: FastifyRequest, { flow, rules }: SessionRoutes): AskedHost {
  const host = normalizeHost(request.headers.host ?? '')
  const isOwn = host === flow.host
  const origin = isOwn ? flow.issuer : host && rules.resources.originAt(host)
  if (!host || !origin) {
    throw new PageError({
      kind: 'client',
      status: 404,
      title: 'Not at this address',
      text: 'Nothing that you could sign in to is at this address. Go back to where you came from.',
      details: 'the host is neither that of PUBLIC_URL nor that of a resource',
    })
  }
  return { host, origin, secure: origin.startsWith('https:'), isOwn }
}

/**
 * Refuses what no person opened: a script or an image that asks cannot show a page, and must not change anything.
 * @throws PageError
 */
export function refuseUnlessOpened(request: FastifyRequest): void {
  const mode = request.headers['sec-fetch-mode']
  if (mode === undefined || mode === 'navigate') return
  throw new PageError({
    kind: 'client',
    status: 403,
    title: 'Open this page by itself',
    text: 'A part of another page asked for this. It only works when you open it yourself.',
    details: 'this address is for navigations, not for scripts and embedded content',
  })
}

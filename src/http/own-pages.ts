/**
 * Keeps our pages for people: no script, frame or service worker may open them, and a page of a server that shares our
 * host may not keep a window on them (threat T35).
 *
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PageError } from '../errors.ts'
import { isOwnHost } from '../url/host.ts'
import { isOpened, siteOf } from './browser-request.ts'

/** The host of our pages. */
export interface PageHost {
  /** Our origin. */
  readonly issuer: string
  /** True if a protected server lives there as well. */
  readonly isShared: boolean
}

/**
 * Adds `Cross-Origin-Opener-Policy` to every answer of the scope on a host that we share. Where the host is ours alone
 * the header is absent: it would cut the `window.opener` of a client that opened us in a pop-up.
 */
export function cutFromOpeners(scope: FastifyInstance, { issuer, isShared }: PageHost): void {
  if (!isShared) return
  scope.addHook('onRequest', async (request, reply) => {
    if (!isOwnHost(request.headers.host ?? '', issuer)) return
    reply.header('cross-origin-opener-policy', 'same-origin')
  })
}

/**
 * Refuses a request that no person's tab made: its script could read the page or press its buttons. Old browsers and
 * programs, which say nothing about it, pass.
 * @throws PageError
 */
export function refuseUnlessOpened(request: FastifyRequest): void {
  if (isOpened(request.raw.rawHeaders)) return
  throw new PageError({
    kind: 'client',
    status: 403,
    title: 'Open this page by itself',
    text: 'A part of another page asked for this page. This page only works when you open it yourself.',
    details:
      'this address is for navigations, not for scripts, embedded content and service workers',
  })
}

/**
 * Refuses a tab that a page of our own host led here. Where we share the host this is a page of the protected server:
 * none of our own pages links to an address that calls this.
 * @throws PageError
 */
export function refuseFromSharedHost(request: FastifyRequest, { isShared }: PageHost): void {
  if (isShared && siteOf(request.raw.rawHeaders) === 'same-origin') throw fromSharedHost()
}

/** For a request that a page of a server on our host made in the place of the person. */
export function fromSharedHost(): PageError {
  return new PageError({
    kind: 'client',
    status: 403,
    title: 'Start in the program itself',
    text: 'A page of a server on this host opened this page in your place. Start again from the program you want to connect.',
    details: 'on a host that a protected server shares, no page of that host may open this address',
  })
}

/**
 * Puts session cookies into answers.
 *
 * @module
 */
import '@fastify/cookie'
import type { FastifyReply } from 'fastify'
import { sessionCookie, sharedScopes } from './cookies.ts'
import type { CookieScope } from './target.ts'
import type { IssuedSession } from './token-issuer.ts'

/** The host that answers. */
export interface AnsweringHost {
  /** Normalized. */
  readonly host: string
  /** True if it is https. */
  readonly secure: boolean
}

/** The longest cookie that browsers keep, name and value together (RFC 6265 section 6.1). */
const MAX_COOKIE_LENGTH = 4096

/** Sets the cookie for what is left of the session. */
export function setSession(
  reply: FastifyReply,
  { token, seconds }: IssuedSession,
  { host, secure, scope }: AnsweringHost & { readonly scope: CookieScope },
): void {
  const { name, options } = sessionCookie(scope, secure)
  if (name in reply.request.cookies && scope.kind !== 'host') {
    // After a change of COOKIE_DOMAIN the browser would send the old cookie beside the new one, and we refuse two. The
    // new cookie is set last: some browsers take a cookie whose `Domain` is the host itself for the same cookie.
    for (const stale of sharedScopes(host).filter((other) => !isSame(other, scope))) {
      clear(reply, stale, secure)
    }
  }
  reply.setCookie(name, token, { ...options, maxAge: seconds })
  if (name.length + token.length > MAX_COOKIE_LENGTH) {
    reply.log.error(
      { host, characters: token.length },
      'the session cookie is longer than browsers keep: give the servers of this domain fewer default scopes',
    )
  }
}

/** Clears every cookie of this host that can hold a session. */
export function clearSessions(reply: FastifyReply, answering: AnsweringHost): void {
  for (const scope of sharedScopes(answering.host)) clear(reply, scope, answering.secure)
  clear(reply, { kind: 'host' }, answering.secure)
}

function clear(reply: FastifyReply, scope: CookieScope, secure: boolean): void {
  const { name, options } = sessionCookie(scope, secure)
  reply.clearCookie(name, options)
}

const isSame = (one: CookieScope, other: CookieScope) =>
  one.kind === 'domain' && other.kind === 'domain'
    ? one.domain === other.domain
    : one.kind === other.kind

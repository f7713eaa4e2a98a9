/**
 * Puts session cookies into answers.
 *
 * @module
 */
import '@fastify/cookie'
import type { FastifyReply } from 'fastify'
import { everyPlace, handCookie, type SessionCookie, sessionCookie } from './cookies.ts'
import type { CookieScope } from './target.ts'
import type { IssuedSession } from './token-issuer.ts'

/** The host that answers. */
export interface AnsweringHost {
  /** Normalized. */
  readonly host: string
  /** True if it is https. */
  readonly secure: boolean
  /** Our origin. */
  readonly issuer: string
}

/** The longest cookie that browsers keep, name and value together (RFC 6265 section 6.1). */
const MAX_COOKIE_LENGTH = 4096

/** Sets the cookie for what is left of the session. */
export function setSession(
  reply: FastifyReply,
  { token, seconds }: IssuedSession,
  { scope, ...answering }: AnsweringHost & { readonly scope: CookieScope },
): void {
  const cookie = sessionCookie(scope, answering)
  const { name, options } = cookie
  if (name in reply.request.cookies) {
    // The browser would send the old cookie beside the new one, perhaps of another person. The new cookie is set last:
    // some browsers take a cookie whose `Domain` is the host itself for the same cookie.
    const others = everyPlace(cookie, answering.host).filter(
      (other) => other.options.domain !== options.domain,
    )
    for (const other of others) clear(reply, other)
  }
  const further = handCookie(cookie)
  if (further) reply.setCookie(further.name, token, { ...options, maxAge: seconds })
  reply.setCookie(name, token, { ...options, maxAge: seconds })
  if (name.length + token.length > MAX_COOKIE_LENGTH) {
    const { host } = answering
    reply.request.report({ event: 'cookie-too-long', host, characters: token.length })
  }
}

/** Clears every cookie of this host that can hold a session. */
export function clearSessions(reply: FastifyReply, answering: AnsweringHost): void {
  const scopes = [{ kind: 'host' }, { kind: 'domain', domain: answering.host }] as const
  for (const scope of scopes) {
    const cookie = sessionCookie(scope, answering)
    for (const each of [cookie, handCookie(cookie) ?? []].flat()) {
      for (const place of everyPlace(each, answering.host)) clear(reply, place)
    }
  }
}

function clear(reply: FastifyReply, { name, options }: SessionCookie): void {
  reply.clearCookie(name, options)
}

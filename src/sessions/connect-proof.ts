/**
 * Proves that our own login, and not a page of the application, led a tab to `/auth/connect`. On a host that we share
 * with a protected server both are of the same origin (threat T35).
 *
 * @module
 */
import '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { constantTimeEqual, type Keyring } from '../crypto.ts'
import { CONNECT_PATH, ownPath } from '../paths.ts'

/** Seconds in which a person may also reload the page. */
const LIFETIME = 300

export interface ConnectProofs {
  /** Sets the proof for this session, if the address is that of `/auth/connect`. */
  set(reply: FastifyReply, address: string, token: string): void
  /**
   * True if {@link set} did so for this query and this session.
   * @param query without its question mark
   */
  holds(request: FastifyRequest, query: string, token: string): boolean
}

/**
 * A script of the application may plant a cookie, but a proof is bound to the session, which no script can read.
 * @param secure true if the gateway is https (decision K7)
 */
export function createConnectProofs(deps: {
  issuer: string
  keyring: Keyring
  secure: boolean
}): ConnectProofs {
  const { issuer, keyring, secure } = deps
  const name = `${secure ? '__Host-' : ''}gw_opened`
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: LIFETIME } as const
  const proofOf = (query: string, token: string) =>
    keyring.mac('cookie', `${CONNECT_PATH}|${query}|${token}`)
  return {
    set(reply, address, token) {
      const { pathname, search } = new URL(address)
      if (pathname !== ownPath(issuer, CONNECT_PATH)) return
      reply.setCookie(name, proofOf(search.slice(1), token), options)
    },
    holds(request, query, token) {
      const proof = request.cookies[name]
      return proof !== undefined && constantTimeEqual(proof, proofOf(query, token))
    },
  }
}

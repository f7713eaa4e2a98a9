/**
 * The cookie by which a protected host recognises the browser that began a sign-in there, while the sign-in itself
 * happens on the gateway's host (decision K24).
 *
 * @module
 */
import '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { constantTimeEqual, randomToken, sha256 } from '../crypto.ts'
import { surplus } from '../http/bounded-cookies.ts'
import { INTERACTION_LIFETIME } from '../login/interaction.ts'

/** Each nonce has a name of its own, so that tabs that are opened at once do not overwrite each other's. */
const NAME = /^gw_nonce_[A-Za-z0-9_-]{8}$/
const SECURE_NAME = /^__Host-gw_nonce_[A-Za-z0-9_-]{8}$/
const VALUE = /^[A-Za-z0-9_-]{22}$/
/** Tabs that are opened at once get one each; all later ones share the newest. */
const MAX_NONCES = 8
const HASH = /^[A-Za-z0-9_-]{43}$/

const nameFor = (hash: string, secure: boolean) =>
  `${secure ? '__Host-' : ''}gw_nonce_${hash.slice(0, 8)}`

/** True for a value that can be the hash of a nonce. */
export const isNonceHash = (value: string | undefined): value is string =>
  value !== undefined && HASH.test(value)

/**
 * SHA-256 of this browser's nonce, set if there is none yet. Tabs share it: any number of sign-ins needs one cookie, or
 * as many as began before the first answer came back.
 * @param secure the host is https
 */
export function findOrSetNonce(
  request: FastifyRequest,
  reply: FastifyReply,
  secure: boolean,
): string {
  const known = Object.entries(request.cookies).findLast(
    ([name, value]) =>
      value !== undefined && VALUE.test(value) && nameFor(sha256(value), secure) === name,
  )?.[1]
  const nonce = known ?? randomToken(16)
  const hash = sha256(nonce)
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const
  const kind = { name: secure ? SECURE_NAME : NAME, value: VALUE, keep: MAX_NONCES - 1 }
  for (const name of surplus(request.cookies, kind)) reply.clearCookie(name, options)
  reply.setCookie(nameFor(hash, secure), nonce, { ...options, maxAge: INTERACTION_LIFETIME })
  return hash
}

/** True in the browser that has the nonce with this hash. */
export function holdsNonce(request: FastifyRequest, hash: string, secure: boolean): boolean {
  const nonce = request.cookies[nameFor(hash, secure)]
  return nonce !== undefined && constantTimeEqual(sha256(nonce), hash)
}

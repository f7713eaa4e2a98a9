/**
 * Finds the session that `/auth/connect` hands over, by the host of the request.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import {
  connectPath,
  type SessionRules,
  type SessionTarget,
  sessionTarget,
} from '../sessions/target.ts'
import { normalizeHost } from '../url/host.ts'

/**
 * The session that `/auth/connect` hands over on the host of a request.
 * @param query the query of the page to return to, without its question mark
 * @returns undefined if this host has no protected server, or several of which `connectResource` chooses none
 */
export function connectTarget(
  request: FastifyRequest,
  rules: SessionRules,
  query?: string,
): SessionTarget | undefined {
  const host = normalizeHost(request.headers.host ?? '')
  if (host === undefined) return undefined
  // The scheme is unknown here, and not compared (decision K18).
  return sessionTarget(
    `https://${host}${connectPath(host, rules)}${query === undefined ? '' : `?${query}`}`,
    rules,
  )
}

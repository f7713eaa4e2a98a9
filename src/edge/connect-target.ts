/**
 * What somebody connects to on the host that they asked.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { CONNECT_PATH } from '../paths.ts'
import { type SessionRules, type SessionTarget, sessionTarget } from '../sessions/target.ts'
import { normalizeHost } from '../url/host.ts'

/**
 * The session that `/auth/connect` on the host of a request is about.
 * @param query of the page to come back to, without its question mark
 * @returns undefined on a host where nothing that we protect lives, or more than one thing
 */
export function connectTarget(
  request: FastifyRequest,
  rules: SessionRules,
  query?: string,
): SessionTarget | undefined {
  const host = normalizeHost(request.headers.host ?? '')
  if (host === undefined) return undefined
  // The scheme is not known here, and not compared (decision K18).
  return sessionTarget(
    `https://${host}${CONNECT_PATH}${query === undefined ? '' : `?${query}`}`,
    rules,
  )
}

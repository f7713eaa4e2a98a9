/**
 * The query of a request as it was sent.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'

/** The query of a request as it was sent. */
export function rawQuery(request: FastifyRequest): string {
  const target = request.raw.url ?? ''
  const query = target.indexOf('?')
  return query === -1 ? '' : target.slice(query + 1)
}

/**
 * Says in the log that people come back to another page than they opened.
 *
 * @module
 */
import type { FastifyBaseLogger } from 'fastify'
import type { SessionTarget } from './target.ts'

export function logShortened(
  { returnTo }: SessionTarget,
  log: Pick<FastifyBaseLogger, 'info'>,
): void {
  log.info(
    { host: new URL(returnTo).host },
    'an address was too long to return to after the login: the person returns to it without its query, or to the first page',
  )
}

/**
 * Refuses form posts that come from another site's page.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { PageError } from '../errors.ts'
import { isOwnForm } from './browser-request.ts'
import { headerReader } from './raw-headers.ts'

const read = headerReader(['origin', 'sec-fetch-site'])

/**
 * Refuses a POST that another site's page made (threats T11, T12). Browsers name the site in these headers; programs
 * without a browser send neither.
 * @throws PageError
 */
export function refuseCrossSite(request: FastifyRequest, ownOrigin: string): void {
  const { rawHeaders } = request.raw
  const [origin, site] = read(rawHeaders)
  if (isOwnForm(origin, rawHeaders)) return
  if (
    (site === undefined || site === 'same-origin') &&
    (origin === undefined || origin === ownOrigin)
  ) {
    return
  }
  throw new PageError({
    kind: 'retry',
    status: 403,
    title: 'Another website sent this form',
    text: 'Another website tried to answer for you. Nothing was decided. Start again from the program you want to connect.',
    details: 'a form must be posted from the page that showed it',
  })
}

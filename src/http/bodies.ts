/**
 * Body parsers that refuse bytes that are not UTF-8, for scopes that take exactly one content type.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { OAuthError } from '../errors.ts'
import { parseParameters } from '../url/parameters.ts'

/** Only `application/x-www-form-urlencoded`; the body becomes {@link Parameters}. */
export function acceptForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => parseParameters(body),
  )
  // Without a body no parser runs; the request then counts as a form without fields.
  app.addHook('preHandler', async (request) => {
    request.body ??= parseParameters('')
  })
}

/** Only `application/json`. */
export function acceptJson(app: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer): Promise<unknown> => {
      try {
        return JSON.parse(utf8.decode(body))
      } catch (cause) {
        throw new OAuthError('invalid_client_metadata', 'the body is not JSON', { cause })
      }
    },
  )
}

/**
 * Body parsers that refuse bytes that are not UTF-8, for scopes that take exactly one media type.
 *
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OAuthError } from '../errors.ts'
import { parseParameters } from '../url/parameters.ts'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

/** A body of another media type than the endpoint takes (RFC 9110 section 15.5.16). The message names both. */
export class WrongMediaType extends Error {
  override readonly name = 'WrongMediaType'
  constructor(came: string, wanted: string) {
    super(`the body came as ${came || 'no media type'}, but ${wanted} is wanted`)
  }
}

/** Only `application/x-www-form-urlencoded`; the body becomes {@link Parameters}. */
export function acceptForms(app: FastifyInstance): void {
  accept(app, FORM, {
    hasShape: (text) => /^[\w.~%+*-]+=/.test(text),
    parse: async (body) => parseParameters(body),
  })
  // Without a body no parser runs; the request then counts as a form without fields.
  app.addHook('preHandler', async (request) => {
    request.body ??= parseParameters('')
  })
}

/** Only `application/json`. */
export function acceptJson(app: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  accept(app, JSON_TYPE, {
    hasShape: (text) => /^\s*\{/.test(text),
    async parse(body): Promise<unknown> {
      try {
        return JSON.parse(utf8.decode(body))
      } catch (cause) {
        throw new OAuthError('invalid_client_metadata', 'the body is not JSON', { cause })
      }
    },
  })
}

interface Reader {
  /** True for the beginning of a body that can be of the wanted type, where the request names none. */
  readonly hasShape: (text: string) => boolean
  readonly parse: (body: Buffer) => Promise<unknown>
}

function accept(app: FastifyInstance, wanted: string, { hasShape, parse }: Reader): void {
  // Some clients send two types in one header, others two headers. Fastify would refuse both before any parser runs.
  app.addHook('preParsing', async (request) => {
    if (request.method !== 'POST') return
    const types = mediaTypes(request)
    if (types.includes(wanted)) request.raw.headers['content-type'] = wanted
    else if (types.length > 0) throw new WrongMediaType(showable(types.join(', ')), wanted)
    else delete request.raw.headers['content-type']
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    wanted,
    { parseAs: 'buffer' },
    (_request: unknown, body: Buffer) => parse(body),
  )
  app.addContentTypeParser<Buffer>(
    '*',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => {
      if (body.length === 0) return undefined
      // Some programs begin a text with a byte-order mark, which the parsers skip.
      const start = body.toString('latin1', 0, 200).replace(/^\xef\xbb\xbf/, '')
      if (!hasShape(start)) throw new WrongMediaType('', wanted)
      return parse(body)
    },
  )
}

/** Every media type that the `Content-Type` lines of a request list, without parameters, in lower case. */
function mediaTypes({ raw }: FastifyRequest): string[] {
  const lines = raw.rawHeaders.filter(
    (_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === 'content-type',
  )
  return lines
    .join(',')
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .split(',')
    .map((type) => (type.split(';')[0] ?? '').trim().toLowerCase())
    .filter((type) => type !== '')
}

/** The characters that an error description may have (RFC 6749 section 5.2), and not too many. */
const showable = (text: string) => text.replace(/[^\w!#$&^.+/;=, -]/g, '?').slice(0, 100)

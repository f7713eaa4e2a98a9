/**
 * Reads what travels over the wire, as strictly as its grammar.
 *
 * @module
 */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { z } from 'zod'

export const ISSUER = 'https://auth.example.com'
export const MCP_HOST = 'mcp.example.com'

const ServerMetadata = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  registration_endpoint: z.string(),
  jwks_uri: z.string(),
  scopes_supported: z.array(z.string()),
  response_types_supported: z.array(z.string()),
  response_modes_supported: z.array(z.string()),
  grant_types_supported: z.array(z.string()),
  token_endpoint_auth_methods_supported: z.array(z.string()),
  code_challenge_methods_supported: z.array(z.string()),
  authorization_response_iss_parameter_supported: z.boolean(),
})

const ResourceMetadata = z.looseObject({
  resource: z.string(),
  authorization_servers: z.array(z.string()),
  scopes_supported: z.array(z.string()),
  bearer_methods_supported: z.array(z.string()),
})

/** The authorization server's metadata, found from its issuer (RFC 8414 section 3). */
export async function serverMetadata(app: FastifyInstance) {
  const url = '/.well-known/oauth-authorization-server'
  return ServerMetadata.parse((await app.inject({ url, headers: { host: hostOf(ISSUER) } })).json())
}

/** A protected resource's metadata, from exactly the URL that a challenge names. */
export async function resourceMetadata(app: FastifyInstance, url: string) {
  return ResourceMetadata.parse((await fetchFrom(app, url)).json())
}

/** `GET` of an absolute URL, whichever of our hosts it names. */
export function fetchFrom(app: FastifyInstance, url: string): Promise<LightMyRequestResponse> {
  const { host, pathname, search } = new URL(url)
  return app.inject({ url: pathname + search, headers: { host } })
}

const hostOf = (url: string) => new URL(url).host

export interface Challenge {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const PARAMETER = `(${TOKEN})="((?:[^"\\\\]|\\\\.)*)"`

/**
 * The only challenge of an answer (RFC 9110 section 11.6.1).
 * @throws Error if there is none, more than one, or a challenge that breaks the grammar
 */
export function challengeOf(answer: LightMyRequestResponse): Challenge {
  const header = answer.headers['www-authenticate']
  const shape = new RegExp(`^(${TOKEN})(?: ${PARAMETER}(?:, ${PARAMETER})*)?$`)
  if (typeof header !== 'string' || !shape.test(header)) {
    throw new Error(`not one challenge: ${String(header)}`)
  }
  const parameters: Record<string, string> = {}
  for (const [, name = '', value = ''] of header.matchAll(new RegExp(PARAMETER, 'g'))) {
    if (Object.hasOwn(parameters, name)) throw new Error(`${name} occurs twice: ${header}`)
    parameters[name] = value
  }
  return { scheme: header.split(' ')[0] ?? '', parameters }
}

/**
 * The parameters of an authorization response to the client.
 * @throws Error if the answer is not a redirect, or has a parameter twice
 */
export function responseOf(answer: LightMyRequestResponse): Record<string, string> {
  const { searchParams } = new URL(String(answer.headers.location))
  const said = Object.fromEntries(searchParams)
  if (searchParams.size !== Object.keys(said).length) throw new Error(`twice: ${searchParams}`)
  return said
}

/** An answer that shows a page to the person and leads nowhere by itself. */
export function staysHere(answer: LightMyRequestResponse): boolean {
  return (
    answer.statusCode >= 400 &&
    answer.headers.location === undefined &&
    String(answer.headers['content-type']).startsWith('text/html') &&
    !/http-equiv="refresh"/i.test(answer.body)
  )
}

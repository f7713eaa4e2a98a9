/**
 * The headers that tell a protected server who calls, and the value that each carries.
 *
 * @module
 */
import * as z from 'zod'
import { IDENTITY_HEADERS, type IdentityValue } from '../../check/identity-headers.ts'
import { canonicalName } from '../../http/untrusted-headers.ts'
import type { Config } from '../config.ts'
import { list } from './fields.ts'
import { InvalidValue, quote, type Report } from './problem.ts'

interface IdentityHeader {
  readonly name: string
  readonly value: IdentityValue
}

/** The default headers. */
export const IDENTITY_HEADER_NAMES: readonly string[] = Object.keys(IDENTITY_HEADERS)

const VALUES = [
  'user',
  'email',
  'groups',
  'scopes',
  'client',
  'id',
  'name',
  'subject',
] as const satisfies readonly IdentityValue[]

/** Headers that HTTP, MCP or the proxy in front already use: a caller's name in one would break or forge it. */
const RESERVED = new RegExp(
  `^(?:${[
    // Of the connection and the message (RFC 9110, RFC 9111, RFC 9112, RFC 9113).
    'host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|via|date|server|age|vary|location|allow',
    'from|max-forwards|range|etag|last-modified|retry-after|cache-control|pragma|expires|warning|http2-settings',
    'accept|(?:accept|access-control|content|if|proxy)-.*|early-data|alt-used|alt-svc|priority|digest|want-.*|repr-digest',
    // Of a login, a signature or a session (RFC 6265, RFC 9421, RFC 9440, RFC 9449).
    'authorization|www-authenticate|authentication-info|cookie2?|set-cookie2?|dpop(?:-nonce)?|signature(?:-input)?',
    'client-cert(?:-chain)?|idempotency-key',
    // Of browsers, which say by them how a request came about.
    'origin|referer|user-agent|sec-.*|service-worker.*|purpose|save-data|dnt|last-event-id|upgrade-insecure-requests',
    // Ways to another method or another resource, some of WebDAV (RFC 4918).
    'x-(?:http-)?method(?:-override)?|prefer|depth|destination|overwrite|lock-token|x-accel-.*|x-sendfile.*',
    // Of proxies, tracing and MCP. CDN-Loop is how Gatewarden knows its own requests (RFC 8586).
    'cdn-loop|forwarded|x-real-ip|x-request-id|x-rewrite-url|x-scheme|x-original-.*',
    'x-forwarded-(?:for|host|proto|port|prefix|uri|method|server|ssl)|traceparent|tracestate|baggage|mcp-.*',
  ].join('|')})$`,
  'i',
)

export const isReservedHeader = (name: string): boolean => RESERVED.test(name)

/** A list, or a map of header to value. */
export function identityHeaders(): z.ZodType<
  IdentityHeader[],
  string | string[] | Record<string, string>
> {
  return z
    .union([z.string(), z.array(z.string()), z.record(z.string(), z.string())], {
      error:
        'must be a list or a map. Write X-Remote-User=user, or in the file X-Remote-User: user.',
    })
    .transform((given) =>
      typeof given === 'string' || Array.isArray(given)
        ? given
        : Object.entries(given).map(([name, value]) => `${name}=${value}`),
    )
    .pipe(list(parseIdentityHeader))
}

/** @throws InvalidValue unless `value` is a default header, or `Header=value` with a value of the list above */
function parseIdentityHeader(value: string): IdentityHeader {
  const [name = '', named, ...rest] = value.split('=').map((part) => part.trim())
  if (!/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(name) || rest.length > 0) {
    throw new InvalidValue(
      `${quote(value)} is not the name of a header. Use letters, digits and dashes, like X-Remote-User=user.`,
    )
  }
  if (RESERVED.test(name)) {
    throw new InvalidValue(
      `${quote(name)} already has another meaning. Choose another header, like X-Remote-User.`,
    )
  }
  const found = identityValueOf(named ?? name)
  if (found === undefined) {
    throw new InvalidValue(
      `${quote(named ?? name)} does not say what to send. Write ${name}= and one of ${VALUES.join(', ')}.`,
    )
  }
  return { name, value: found }
}

/** @throws InvalidValue for text that is no header, or a header with another meaning */
export const parseAssertionHeader = (value: string): string =>
  parseHeaderName(value, 'Cf-Access-Jwt-Assertion')

/**
 * The header for the provider's token of a person, which may be `Authorization`.
 * @throws InvalidValue as {@link parseAssertionHeader}
 */
export const parsePersonTokenHeader = (value: string): string =>
  /^authorization$/i.test(value) ? 'Authorization' : parseHeaderName(value, 'X-Provider-Token')

function parseHeaderName(value: string, example: string): string {
  if (
    !/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(value) ||
    /^(?:true|false|yes|no|on|off)$/i.test(value)
  ) {
    throw new InvalidValue(
      `${quote(value)} is not the name of a header. Use letters, digits and dashes, like ${example}.`,
    )
  }
  if (RESERVED.test(value)) {
    throw new InvalidValue(
      `${quote(value)} already has another meaning. Choose another header, like ${example}.`,
    )
  }
  return value
}

/** The value with this name, or the value of the default header with this name. */
function identityValueOf(named: string): IdentityValue | undefined {
  const header = IDENTITY_HEADER_NAMES.find((name) => name.toLowerCase() === named.toLowerCase())
  return VALUES.find((value) => value === named) ?? IDENTITY_HEADERS[header ?? '']
}

/**
 * The parsed entries as a map, with the header for assertions. A header listed twice is a problem, and so is the header
 * for API keys: it would carry a name and a secret.
 */
export function toIdentityHeaders(
  headers: readonly IdentityHeader[],
  {
    apiKeyHeader,
    assertionHeader,
    report,
  }: {
    readonly apiKeyHeader: string
    readonly assertionHeader: string | undefined
    readonly report: Report
  },
): Config['identityHeaders'] {
  if (headers.length === 0) {
    report.problem(
      'IDENTITY_HEADERS',
      'lists no header, so a server could not tell who calls, and a client could write such headers itself. List at least one, or remove the setting.',
    )
  }
  const seen = new Set<string>()
  for (const { name } of headers) {
    if (seen.has(canonicalName(name))) {
      report.problem('IDENTITY_HEADERS', `lists ${name} twice. Remove the duplicate.`)
    }
    if (canonicalName(name) === canonicalName(apiKeyHeader)) {
      report.problem(
        'IDENTITY_HEADERS',
        `lists ${name}, which is API_KEY_HEADER. Choose another header for one of them.`,
      )
    }
    seen.add(canonicalName(name))
  }
  const configured = headers.map(({ name, value }): [string, IdentityValue] => [name, value])
  if (assertionHeader === undefined) return Object.fromEntries(configured)
  if (seen.has(canonicalName(assertionHeader)) || isSame(assertionHeader, apiKeyHeader)) {
    report.problem(
      'ASSERTION_HEADER',
      `is ${assertionHeader}, which carries something else already. Choose another header, like Cf-Access-Jwt-Assertion.`,
    )
  }
  return Object.fromEntries([...configured, [assertionHeader, 'assertion']])
}

const isSame = (a: string, b: string) => canonicalName(a) === canonicalName(b)

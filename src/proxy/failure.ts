/**
 * The answers of pass-through itself: a refusal, and a failure of the upstream or of ours.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Answer } from '../check/answer.ts'
import { dressed, errorAnswer } from '../check/pages-for-people.ts'
import { readerOfRequest } from '../http/browser-request.ts'
import { lingerThenClose } from '../http/lingering-close.ts'
import { REQUEST_ID } from '../http/request-id.ts'
import { FAULT_WORDS } from '../pages/error-page.ts'
import type { ResourceMatch } from '../resources/resource-table.ts'
import { BodyRefused, UpstreamUnavailable } from './upstream.ts'
import type { BodyRefusal } from './whole-body.ts'

interface Manner {
  /** The operator's look of our pages. */
  readonly brand: Parameters<typeof dressed>[1]
  /** The header lines by which an allowed page may read the answer. */
  readonly cors: readonly string[]
}

export function refuse(
  request: FastifyRequest,
  response: ServerResponse,
  answer: Answer,
  { brand, cors }: Manner,
): void {
  const { status, headers, body } = dressed(answer, brand)
  lingerThenClose(request.raw, response)
  response.writeHead(status, [...headers, ...cors, REQUEST_ID, request.id])
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** Reports an error and answers with 502 if the upstream failed, else with 500. */
export function fail(
  error: unknown,
  request: FastifyRequest,
  response: ServerResponse,
  { match, brand, cors }: Manner & { readonly match: ResourceMatch | 'ambiguous' },
): void {
  if (error instanceof BodyRefused && !response.headersSent) {
    const { status, reason, words, headers } = REFUSED_BODIES[error.reason]
    request.report({ event: 'request-refused', reason, status, method: request.method })
    refuse(request, response, answerOf(status, words, request, headers), { brand, cors })
    return
  }
  const outage = error instanceof UpstreamUnavailable
  const resource = match === 'ambiguous' ? undefined : match.resource.id
  // Tell only name, code and message of an upstream's failure: the driver's error carries bytes of the answer.
  if (outage) request.report({ event: 'upstream-failed', cause: describe(error.cause), resource })
  else request.report({ event: 'request-failed', err: error, resource, status: 500 })
  if (response.headersSent) {
    response.destroy()
    return
  }
  const answer = outage ? answerOf(502, UPSTREAM_DOWN, request) : answerOf(500, UNEXPECTED, request)
  refuse(request, response, answer, { brand, cors })
}

/** 429 for a person who has too many requests or streams open (decision K39). */
export const tooMany = (request: FastifyRequest): Answer =>
  answerOf(429, TOO_MANY, request, ['Retry-After', '1'])

/** 508 (RFC 5842 section 7.2) for a request of ours that came back. */
export const loop = (request: FastifyRequest): Answer => answerOf(508, LOOP, request)

/**
 * 405 for `TRACE`: a server answers it with the request as it arrived (RFC 9110 section 9.3.8), so the client would read the
 * secrets that we add for the server. nginx and Caddy refuse it, too.
 */
export const noTrace = (request: FastifyRequest): Answer =>
  answerOf(405, NO_TRACE, request, ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'])

interface Words {
  readonly kind: 'broken' | 'retry'
  readonly title: string
  readonly text: string
  readonly error: string
  readonly description: string
}

function answerOf(
  status: number,
  words: Words,
  request: FastifyRequest,
  headers: readonly string[] = [],
): Answer {
  const reader = readerOfRequest(request)
  return reader === 'program'
    ? failureFor(status, words, request.id, headers)
    : errorAnswer(status, reader, headers, { ...words, requestId: request.id })
}

const TOO_LARGE: Words = {
  kind: 'retry',
  title: 'This is too large to send',
  text: 'The server takes no file or form of this size. Send a smaller one, or ask whoever runs this server to raise the limit.',
  error: 'invalid_request',
  description: 'the body is too large',
}
const NO_ROOM: Words = {
  kind: 'retry',
  title: 'Too much at once',
  text: 'The login has too many uploads in its hands. Wait a moment, then try again.',
  error: 'temporarily_unavailable',
  description: 'too many bodies are being read',
}
const TOO_SLOW: Words = {
  kind: 'retry',
  title: 'This took too long to send',
  text: 'The login waited for the rest of the request. Try again on a faster connection.',
  error: 'invalid_request',
  description: 'the body did not come in time',
}
interface RefusedBody {
  readonly status: number
  /** For the log. */
  readonly reason: string
  readonly words: Words
  readonly headers?: readonly string[]
}
const REFUSED_BODIES: Readonly<Record<BodyRefusal, RefusedBody>> = {
  'too-large': {
    status: 413,
    reason:
      'the body is above UPSTREAM_BODY_LIMIT, or above 256 KiB for a caller who may use some tools alone',
    words: TOO_LARGE,
  },
  'no-room': {
    status: 503,
    reason: 'too many bodies of callers who may use some tools alone are being read',
    words: NO_ROOM,
    headers: ['Retry-After', '1'],
  },
  'too-slow': {
    status: 408,
    reason: 'the body of a caller who may use some tools alone did not come within 30 seconds',
    words: TOO_SLOW,
  },
}
const TOO_MANY: Words = {
  kind: 'retry',
  title: 'Too much at once',
  text: 'Your programs have too many requests open at this server. Close some of them, wait a moment, then reload this page.',
  error: 'temporarily_unavailable',
  description: 'too many requests of this caller are open',
}

const NO_TRACE: Words = {
  kind: 'retry',
  title: 'This cannot be asked here',
  text: 'The login passes no request of this kind on. Go back and open the address itself.',
  error: 'invalid_request',
  description: 'TRACE is not passed on',
}
const LOOP: Words = {
  kind: 'broken',
  title: 'This server is set up in a circle',
  text: 'The address behind this login leads back to the login. Tell whoever runs this server the request number below.',
  error: 'server_error',
  description: 'the upstream of this server leads back to the gateway',
}
const UPSTREAM_DOWN: Words = {
  kind: 'broken',
  title: 'The server behind this login did not answer',
  text: 'You are signed in, and nothing is lost. Wait a moment, then reload this page. If you see this page again, tell whoever runs this server the request number below.',
  error: 'temporarily_unavailable',
  description: 'the server behind the gateway did not answer',
}
const UNEXPECTED: Words = {
  ...FAULT_WORDS,
  error: 'server_error',
  description: 'unexpected error',
}

/** Name, code and message of an error. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const code = 'code' in error ? ` ${String(error.code)}` : ''
  return `${error.name}${code}: ${error.message}`
}

/** The answer for a program. */
function failureFor(
  status: number,
  words: { readonly error: string; readonly description: string },
  requestId: string,
  more: readonly string[],
): Answer {
  const body = JSON.stringify({
    error: words.error,
    error_description: `${words.description}, request ${requestId}`,
  })
  const headers = ['Content-Type', 'application/json', 'Cache-Control', 'no-store', ...more]
  return { status, headers: [...headers, 'Content-Length', String(Buffer.byteLength(body))], body }
}

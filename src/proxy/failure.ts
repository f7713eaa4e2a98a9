/**
 * The answers of pass-through itself: a refusal, and a failure of the upstream or of ours.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Answer } from '../check/answer.ts'
import { errorAnswer } from '../check/pages-for-people.ts'
import { readerOfRequest } from '../http/browser-request.ts'
import { lingerThenClose } from '../http/lingering-close.ts'
import { FAULT_WORDS } from '../pages/error-page.ts'
import type { ResourceMatch } from '../resources/resource-table.ts'
import { UpstreamUnavailable } from './upstream.ts'

/** @param cors the header lines by which an allowed page may read the answer */
export function refuse(
  request: FastifyRequest,
  response: ServerResponse,
  answer: Answer,
  cors: readonly string[],
): void {
  lingerThenClose(request.raw, response)
  response.writeHead(answer.status, [...answer.headers, ...cors])
  response.end(request.method === 'HEAD' ? undefined : answer.body)
}

/** Reports an error and answers with 502 if the upstream failed, else with 500. */
export function fail(
  error: unknown,
  request: FastifyRequest,
  response: ServerResponse,
  { match, cors }: { match: ResourceMatch | 'ambiguous'; cors: readonly string[] },
): void {
  const outage = error instanceof UpstreamUnavailable
  const resource = match === 'ambiguous' ? undefined : match.resource.id
  // Tell only name, code and message of an upstream's failure: the driver's error carries bytes of the answer.
  if (outage) request.report({ event: 'upstream-failed', cause: describe(error.cause), resource })
  else request.report({ event: 'request-failed', err: error, resource, status: 500 })
  if (response.headersSent) {
    response.destroy()
    return
  }
  const words = outage ? UPSTREAM_DOWN : UNEXPECTED
  const status = outage ? 502 : 500
  const reader = readerOfRequest(request)
  const answer =
    reader === 'program'
      ? failureFor(status, words, request.id)
      : errorAnswer(status, reader, [], { ...words, requestId: request.id })
  refuse(request, response, answer, cors)
}

const UPSTREAM_DOWN = {
  kind: 'broken' as const,
  title: 'The server behind this login did not answer',
  text: 'You are signed in, and nothing is lost. Wait a moment, then reload this page. If you see this page again, tell whoever runs this server the request number below.',
  error: 'temporarily_unavailable',
  description: 'the server behind the gateway did not answer',
}
const UNEXPECTED = {
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
): Answer {
  const body = JSON.stringify({
    error: words.error,
    error_description: `${words.description}, request ${requestId}`,
  })
  const headers = ['Content-Type', 'application/json', 'Cache-Control', 'no-store']
  return { status, headers: [...headers, 'Content-Length', String(Buffer.byteLength(body))], body }
}

/**
 * Pass-through: Gatewarden is the proxy itself for resources with an `upstream` (decision K31). This folder owns the
 * way to the upstream and back, headers and bodies; `check/` decides. Its route gets the requests that no other route
 * gets.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Answer } from '../check/answer.ts'
import type { Check, Checked } from '../check/check.ts'
import { logDecision } from '../check/decision-log.ts'
import { errorAnswer } from '../check/pages-for-people.ts'
import { isPageLoad, readerOfRequest } from '../http/browser-request.ts'
import { answerProgram, sendErrorPage } from '../http/errors.ts'
import { sendJson } from '../http/json.ts'
import { lingerThenClose } from '../http/lingering-close.ts'
import type { compileOrigins } from '../http/origins.ts'
import { FAULT_WORDS } from '../pages/error-page.ts'
import type { Resource, ResourceMatch, ResourceTable } from '../resources/resource-table.ts'
import { parseIpAddress } from '../url/ip-address.ts'
import { depthOf, splitAfter, withoutQuery } from '../url/path.ts'
import { corsHeaders, preflightHeaders } from './cross-origin.ts'
import type { UpstreamHeaders } from './request-headers.ts'
import { clientHeaders, SANDBOX } from './response-headers.ts'
import { type Upstream, UpstreamUnavailable } from './upstream.ts'

export interface ProxyRoutes {
  readonly check: Check
  readonly resources: ResourceTable
  readonly upstream: Upstream
  readonly upstreamHeaders: UpstreamHeaders
  readonly originAllowed: ReturnType<typeof compileOrigins>
  readonly isTrustedProxy: (address: string | undefined) => boolean
  readonly isOwnCookie: (name: string) => boolean
  /** Answers discovery requests whose well-known part comes after the path, preflights too; else undefined. */
  readonly discover: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined
  readonly log: Logger
}

export function proxyRoutes(app: FastifyInstance, deps: ProxyRoutes): void {
  app.setErrorHandler(answerProgram)
  app.addHook('onClose', () => deps.upstream.close())

  // This hook runs before Fastify looks at the body, so the body stays in the socket until it goes to the upstream.
  const onRequest = (request: FastifyRequest, reply: FastifyReply): void => {
    if (deps.discover(request, reply)) return
    const match = deps.resources.match(request.headers.host ?? '', request.raw.url ?? '')
    if (match === 'unknown' || (match !== 'ambiguous' && match.resource.upstream === undefined)) {
      lingerThenClose(request.raw, reply.raw)
      if (isPageLoad(request)) sendNotFoundPage(reply)
      else sendJson(reply.code(404), { error: 'not_found' })
      return
    }
    reply.hijack()
    passThrough(request, reply.raw, match, deps).catch((error: unknown) =>
      fail(error, request, reply.raw, { log: deps.log, cors: corsOf(request, match, deps) }),
    )
  }
  app.all('/*', { onRequest }, () => undefined)
}

function sendNotFoundPage(reply: FastifyReply): void {
  const { id: requestId, log } = reply.request
  log.debug({ requestId, reason: 'nothing is at this address' }, 'page refused')
  sendErrorPage(reply, 404, {
    kind: 'retry',
    title: 'There is nothing here',
    text: 'People sign in here for other servers. Check the address for mistakes, or open the address of the server you want to use.',
  })
}

async function passThrough(
  request: FastifyRequest,
  response: ServerResponse,
  match: ResourceMatch | 'ambiguous',
  deps: ProxyRoutes,
): Promise<void> {
  const { origin } = request.headers
  const cors = corsOf(request, match, deps)
  if (origin !== undefined && cors.length > 0 && isPreflight(request)) {
    const requested = {
      method: request.headers['access-control-request-method'],
      headers: request.headers['access-control-request-headers'],
    }
    response.writeHead(204, preflightHeaders(origin, requested)).end()
    return
  }
  const started = performance.now()
  const pending = deps.check({
    located: {
      host: request.headers.host ?? '',
      target: request.raw.url ?? '',
      method: request.method,
    },
    rawHeaders: request.raw.rawHeaders,
    requestId: request.id,
    carrier: request.raw,
    matched: match,
  })
  const checked = pending instanceof Promise ? await pending : pending
  logDecision(deps.log, {
    request: request.raw,
    requestId: request.id,
    outcome: checked,
    started,
  })
  const { resource } = checked.match ?? {}
  if (checked.answer.status !== 200 || !resource?.upstream) {
    refuse(request, response, checked, cors)
    return
  }
  await deps.upstream.forward(
    request.raw,
    response,
    targetOf(request, resource, checked.match?.viaAlso ?? false, resource.upstream, {
      answer: checked.answer,
      trusted: deps.isTrustedProxy(request.socket.remoteAddress),
      upstreamHeaders: deps.upstreamHeaders,
    }),
    (headers) => [
      ...clientHeaders(headers, deps.isOwnCookie),
      ...(resource.sharedHost === 'sandboxed' ? SANDBOX : []),
      ...cors,
    ],
  )
}

const isPreflight = ({ method, headers }: FastifyRequest) =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined

/** The header lines by which an allowed page may read the answer, whatever it is. */
function corsOf(
  { headers: { origin } }: FastifyRequest,
  match: ResourceMatch | 'ambiguous',
  { originAllowed }: ProxyRoutes,
): readonly string[] {
  return origin !== undefined && match !== 'ambiguous' && originAllowed(origin, match.resource)
    ? corsHeaders(origin)
    : []
}

function refuse(
  request: FastifyRequest,
  response: ServerResponse,
  { answer }: Pick<Checked, 'answer'>,
  cors: readonly string[],
): void {
  lingerThenClose(request.raw, response)
  response.writeHead(answer.status, [...answer.headers, ...cors])
  response.end(request.method === 'HEAD' ? undefined : answer.body)
}

/** Replaces the path of the resource URL with the upstream URL's; the rest of the path and the query stay verbatim. */
function targetOf(
  request: FastifyRequest,
  resource: Resource,
  viaAlso: boolean,
  upstream: NonNullable<Resource['upstream']>,
  allowed: { answer: Answer; trusted: boolean; upstreamHeaders: UpstreamHeaders },
): { origin: string; path: string; headers: string[] } {
  const target = request.raw.url ?? '/'
  const raw = withoutQuery(target)
  // An escaped spelling of the resource's own path is replaced like the plain one; it has as many segments.
  const [, rest] = splitAfter(raw, depthOf(resource.path))
  // `/` of a whole host is the resource's own URL, which clients write with and without the slash.
  const isOwnUrl = resource.path === '' && rest === '/'
  // Keep the final slash of the upstream URL if nothing follows: some servers answer only there.
  const mapped = rest === '' || isOwnUrl ? upstream.path : upstream.path.replace(/\/$/, '') + rest
  const forwarded = viaAlso ? raw : mapped
  const peer = parseIpAddress(request.socket.remoteAddress ?? '') ?? ''
  const { 'x-forwarded-for': chain, 'x-forwarded-proto': proto } = request.headers
  return {
    origin: upstream.origin,
    path: (forwarded || '/') + target.slice(raw.length),
    headers: allowed.upstreamHeaders(request.raw.rawHeaders, allowed.answer, {
      address: allowed.trusted && chain !== undefined ? `${String(chain)}, ${peer}` : peer,
      host: request.headers.host ?? '',
      proto: allowed.trusted && proto === 'https' ? 'https' : 'http',
    }),
  }
}

/** Name, code and message of an error. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const code = 'code' in error ? ` ${String(error.code)}` : ''
  return `${error.name}${code}: ${error.message}`
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

function fail(
  error: unknown,
  request: FastifyRequest,
  response: ServerResponse,
  { log, cors }: { log: Logger; cors: readonly string[] },
): void {
  const outage = error instanceof UpstreamUnavailable
  log.error(
    // Log only name, code and message of an upstream's failure: the driver's error carries bytes of the answer.
    { requestId: request.id, ...(outage ? { cause: describe(error.cause) } : { err: error }) },
    outage ? 'the upstream did not answer' : 'unexpected error in pass-through',
  )
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
  refuse(request, response, { answer }, cors)
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

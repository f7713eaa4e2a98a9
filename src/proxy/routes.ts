/**
 * Pass-through: Gatewarden is the proxy itself for resources with an `upstream` (decision K31). This folder owns the
 * way to the upstream and back, headers and bodies; `check/` decides. Its route gets the requests that no other route
 * gets.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Answer, withLines } from '../check/answer.ts'

import type { Check, ReportCheck } from '../check/check.ts'
import { dressed, mcpServerPage } from '../check/pages-for-people.ts'

import { UNKNOWN_ADDRESS, unknownAddress } from '../check/unknown-address.ts'
import { isPageLoad } from '../http/browser-request.ts'
import { answerPerson, answerProgram, sendErrorPage } from '../http/errors.ts'
import { hasBody } from '../http/has-body.ts'
import { sendJson } from '../http/json.ts'
import { lingerThenClose } from '../http/lingering-close.ts'
import type { compileOrigins } from '../http/origins.ts'
import { REQUEST_ID } from '../http/request-id.ts'
import { asksForTunnel } from '../http/upgrades.ts'
import type { Brand } from '../pages/brand.ts'
import type {
  MatchResult,
  Resource,
  ResourceMatch,
  ResourceTable,
} from '../resources/resource-table.ts'
import { isOwnHost } from '../url/host.ts'
import type { Caps, Concurrency } from './concurrency.ts'
import { corsHeaders, preflightHeaders } from './cross-origin.ts'
import { fail, loop, noTrace, refuse, tooMany } from './failure.ts'
import { isForClients } from './for-clients.ts'
import type { Allowed, createForwarding } from './forwarding.ts'
import type { FrontPage } from './front-page.ts'
import type { Loops } from './loops.ts'
import { asksForPublicDocument, corsOfApplication } from './public-documents.ts'
import { asJudged, toolLimit } from './tool-limit.ts'
import type { Upstream } from './upstream.ts'

/** What events call the kind of proxy that we are ourselves. */
const FAMILY = 'pass-through'
const SAFE = new Set(['GET', 'HEAD'])
const NOTHING_ABOUT_CALLER: Answer = { status: 200, headers: [] }

export interface ProxyRoutes {
  /** Our own origin. */
  readonly issuer: string
  readonly check: Check
  readonly resources: ResourceTable
  readonly upstream: Upstream
  readonly forwarding: ReturnType<typeof createForwarding>
  readonly concurrency: Concurrency
  readonly originAllowed: ReturnType<typeof compileOrigins>
  /** Answers discovery requests whose well-known part comes after the path, preflights too; else undefined. */
  readonly discover: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined
  /** The URL where a browser ends its session at a resource. */
  readonly signOutUrl: (resource: Resource) => string
  readonly frontPage: FrontPage
  readonly reportCheck: ReportCheck
  readonly brand: Pick<Brand, 'dress' | 'dressPolicy'>
  readonly loops: Pick<Loops, 'find'>
}

export function proxyRoutes(app: FastifyInstance, deps: ProxyRoutes): void {
  app.setErrorHandler(answerProgram)
  app.addHook('onClose', () => deps.upstream.close())

  // This hook runs before Fastify looks at the body, so the body stays in the socket until it goes to the upstream.
  const onRequest = (request: FastifyRequest, reply: FastifyReply): void => {
    if (deps.discover(request, reply)) return
    const match = deps.resources.match(request.headers.host ?? '', request.raw.url ?? '')
    if (request.headers['cdn-loop'] !== undefined && isLoop(request, reply, match, deps)) return
    if (match === 'unknown' || (match !== 'ambiguous' && match.resource.upstream === undefined)) {
      lingerThenClose(request.raw, reply.raw)
      if (isPageLoad(request) && deps.frontPage.isFor(request)) {
        deps.frontPage
          .send(request, reply)
          .catch((error: unknown) => answerPerson(error, request, reply))
      } else {
        refuseUnknown(request, reply, match, deps)
      }
      return
    }
    reply.hijack()
    const passed =
      match !== 'ambiguous' && isProxied(match) && asksForPublicDocument(request, match)
        ? passPublicDocument(request, reply.raw, match, deps)
        : passThrough(request, reply.raw, match, deps)
    passed.catch((error: unknown) =>
      fail(error, request, reply.raw, { ...deps, match, cors: corsOf(request, match, deps) }),
    )
  }
  app.all('/*', { onRequest }, () => undefined)
}

/** True for a request of ours that came back: it is answered, before anything is asked about it. */
function isLoop(
  request: FastifyRequest,
  reply: FastifyReply,
  match: MatchResult,
  deps: ProxyRoutes,
): boolean {
  const resource = deps.loops.find(request.raw.rawHeaders, match)
  if (resource === undefined) return false
  const { asked } = unknownAddress(
    { host: request.headers.host ?? '', target: request.raw.url ?? '' },
    deps.resources,
  )
  request.report({ event: 'upstream-loops', resource, asked })
  reply.hijack()
  refuse(request, reply.raw, loop(request), { ...deps, cors: [] })
  return true
}

const NO_UPSTREAM = 'Gatewarden is not the proxy of this server'

/** 404 for an address that leads nowhere from here; the log says which server was most likely meant. */
function refuseUnknown(
  request: FastifyRequest,
  reply: FastifyReply,
  match: ResourceMatch | 'unknown',
  { resources, issuer }: ProxyRoutes,
): void {
  const host = request.headers.host ?? ''
  const reason = match === 'unknown' ? UNKNOWN_ADDRESS : NO_UPSTREAM
  const isForPerson = isPageLoad(request)
  // Browsers ask our own host for an icon with each page.
  if (isForPerson || !SAFE.has(request.method) || !isOwnHost(host, issuer)) {
    request.report({
      event: 'address-unknown',
      ...unknownAddress({ host, target: request.raw.url ?? '' }, resources),
      family: FAMILY,
      reason,
      status: 404,
      method: request.method,
    })
  }
  if (isForPerson) sendNotFoundPage(reply)
  else sendJson(reply.code(404), { error: 'not_found', error_description: reason })
}

function sendNotFoundPage(reply: FastifyReply): void {
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
    const headers = preflightHeaders(origin, requested)
    response.writeHead(204, [...headers, REQUEST_ID, request.id]).end()
    return
  }
  if (request.method === 'TRACE') {
    const resource = match === 'ambiguous' ? undefined : match.resource.id
    const reason = 'the method TRACE is not passed on'
    request.report({ event: 'request-refused', reason, status: 405, method: 'TRACE', resource })
    refuse(request, response, noTrace(request), { ...deps, cors })
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
    limitsTools: true,
  })
  const checked = pending instanceof Promise ? await pending : pending
  deps.reportCheck({
    request: request.raw,
    requestId: request.id,
    checked,
    started,
    family: FAMILY,
  })
  const { answer, match: allowed } = checked
  if (answer.status !== 200 || !allowed || !isProxied(allowed)) {
    refuse(request, response, answer, { ...deps, cors })
    return
  }
  // The client left during the check.
  if (response.destroyed) return
  const { verified } = checked
  const seat = verified && deps.concurrency.take(verified.sub, kindOf(request))
  if (verified && !seat) {
    const { id: resource } = allowed.resource
    request.report({ event: 'too-many-open', userId: verified.sub, resource })
    refuse(request, response, tooMany(request), { ...deps, cors })
    return
  }
  if (seat) response.once('close', seat.leave)
  const call = deps.forwarding(request, { match: allowed, answer, cors, verified })
  const { target } = call
  const limit =
    verified && allowed.resource.hasToolChoices
      ? await toolLimit(request, target.path, allowed.resource, verified)
      : undefined
  const judge =
    limit &&
    ((body: Buffer) => {
      const own = limit(body)
      return own && withLines(own, cors)
    })
  const isPerson = verified?.source === 'cookie' && request.method === 'GET' && isPageLoad(request)
  await deps.upstream.forward({
    request: request.raw,
    requestId: request.id,
    response,
    judge,
    onStream: () => seat?.becomesStream(),
    ...call,
    target: judge
      ? { ...target, headers: asJudged(target.headers, { hasBody: hasBody(request.raw) }) }
      : target,
    instead: (head) =>
      isPerson && isForClients(head, allowed)
        ? dressed(
            mcpServerPage(
              200,
              { match: allowed, requestId: request.id },
              { signOutUrl: deps.signOutUrl, caller: verified },
            ),
            deps.brand,
          )
        : call.instead(head),
  })
}

/** Passes a document of the application to whoever asks, with nothing about the caller. */
async function passPublicDocument(
  request: FastifyRequest,
  response: ServerResponse,
  match: Allowed['match'],
  { upstream, forwarding }: ProxyRoutes,
): Promise<void> {
  const allowed = { match, answer: NOTHING_ABOUT_CALLER, cors: [], verified: undefined }
  const call = forwarding(request, allowed)
  await upstream.forward({
    request: request.raw,
    requestId: request.id,
    response,
    ...call,
    // A redirect may lead to a place that needs a sign-in.
    redirect: () => undefined,
    responseHeaders: (head, path) => [
      ...call.responseHeaders(head, path),
      ...corsOfApplication(head.lines),
    ],
  })
}

const isProxied = (match: ResourceMatch): match is Allowed['match'] =>
  match.resource.upstream !== undefined

/** A client that asks for events alone, or for a tunnel, opens a stream. */
const kindOf = ({ method, headers, raw }: FastifyRequest): keyof Caps =>
  asksForTunnel(raw) || (method === 'GET' && /^\s*text\/event-stream\b/i.test(headers.accept ?? ''))
    ? 'streams'
    : 'requests'

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

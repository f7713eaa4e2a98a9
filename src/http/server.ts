/**
 * The HTTP server with its limits, before any route (decision K25).
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Events } from '../events.ts'
import type { ClientAddress } from './client-address.ts'
import { answerProgram } from './errors.ts'
import type { Lifecycle } from './lifecycle.ts'
import { lingerThenClose } from './lingering-close.ts'
import { routeEveryMethod } from './methods.ts'
import type { OwnTargets } from './own-targets.ts'
import { reportFromRequests } from './request-events.ts'
import { createRequestIds, REQUEST_ID } from './request-id.ts'
import { refuseDoubledHost, refuseOtherHost } from './uncertain-host.ts'
import { createUnreadableHandler } from './unreadable.ts'
import { answerUpgrades, UpgradableMessage } from './upgrades.ts'

/** 20 kB of cookies must work; more than this is 431. */
const MAX_HEADER_SIZE = 64 * 1024
/** Traefik keeps idle connections for 90 s and does not retry on one that we close. */
const KEEP_ALIVE_MS = 95_000
/** Above the keep-alive time, so that an idle connection is never cut for its headers. */
const HEADERS_TIMEOUT_MS = 100_000
/** Registrations and forms are small. */
const BODY_LIMIT = 32 * 1024

/** Answers a request, at once or later; or returns false and leaves it to the routes. */
export type EarlyHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
) => boolean

/** The event `listening` says more than Fastify's own line, and every line of ours has the name of an event. */
const faultsOf = (log: FastifyBaseLogger): FastifyBaseLogger =>
  /^(trace|debug|info)$/.test(log.level) ? log.child({}, { level: 'warn' }) : log

/**
 * A server without routes. It answers errors as for a program unless a scope has its own error handler.
 * @param options `answerEarly`: called with each request from the network, before Fastify builds a request
 */
export function createHttpServer(options: {
  /** For faults that Fastify itself writes down. */
  log: FastifyBaseLogger
  events: Events
  clientAddress: ClientAddress
  answerEarly: EarlyHandler
  isTrustedProxy: (address: string | undefined) => boolean
  lifecycle: Pick<Lifecycle, 'isEnding'>
  /** A server is behind us, so a WebSocket may open. */
  takesTunnels: boolean
  /** Absent: our paths have no prefix. */
  ownTargets: OwnTargets | undefined
}): FastifyInstance {
  const { log, events, clientAddress, answerEarly, isTrustedProxy, lifecycle, takesTunnels } =
    options
  const { ownTargets } = options
  const newId = createRequestIds(isTrustedProxy)
  /** The request that Fastify is about to answer: it asks for the number at once. */
  let entering: { readonly request: IncomingMessage; readonly id: string } | undefined
  /** The latest answer of each connection that may come in pieces; an early one is sent whole. */
  const responses = new WeakMap<Socket, ServerResponse>()
  const app = Fastify({
    loggerInstance: faultsOf(log),
    // The request log prints queries, which carry codes and states.
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger for each request costs as much as a check; log lines name their request themselves.
    childLoggerFactory: (logger) => logger,
    genReqId: (request) => (entering?.request === request ? entering.id : newId(request)),
    bodyLimit: BODY_LIMIT,
    serverFactory: (handler) => {
      const answer = (request: IncomingMessage, response: ServerResponse) => {
        // The answer then says `Connection: close`.
        if (lifecycle.isEnding) response.shouldKeepAlive = false
        const id = newId(request)
        if (refuseOtherHost(request, response, id)) return
        ownTargets?.enter(request)
        if (answerEarly(request, response, id)) return
        if (refuseDoubledHost(request, response, id)) return
        responses.set(request.socket, response)
        entering = { request, id }
        handler(request, response)
        entering = undefined
      }
      const limits = {
        maxHeaderSize: MAX_HEADER_SIZE,
        keepAliveTimeout: KEEP_ALIVE_MS,
        headersTimeout: HEADERS_TIMEOUT_MS,
        // Each surface limits its bodies (`body-deadline.ts`); those that are passed on may take longer.
        requestTimeout: 0,
      }
      if (!takesTunnels) return createServer(limits, answer)
      const server = createServer({ ...limits, IncomingMessage: UpgradableMessage }, answer)
      answerUpgrades(server, answer)
      return server
    },
    // For injected requests, which do not come from the server.
    ...(ownTargets && {
      rewriteUrl: (request: IncomingMessage) => {
        ownTargets.enter(request)
        return request.url ?? ''
      },
    }),
    clientErrorHandler: createUnreadableHandler(
      (socket) => newId({ rawHeaders: [], socket }),
      (socket) => {
        const latest = responses.get(socket)
        return latest?.headersSent === true && !latest.writableFinished
      },
    ),
    forceCloseConnections: 'idle',
    // Requests that arrive while it closes are answered like all others.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_HEADER_SIZE },
    frameworkErrors(error, request, reply) {
      reply.header(REQUEST_ID, request.id)
      answerProgram(error, request, reply)
    },
  })
  // The size of the headers is bounded. Their number must not be: Node silently drops headers above a maximum number.
  app.server.maxHeadersCount = 0
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(REQUEST_ID, request.id)
    done()
  })
  // An early refusal: the body is still coming.
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (reply.statusCode >= 400) lingerThenClose(request.raw, reply.raw)
    done()
  })
  ownTargets?.leave(app)
  reportFromRequests(app, { events, clientAddress })
  routeEveryMethod(app)
  app.setErrorHandler(answerProgram)
  return app
}

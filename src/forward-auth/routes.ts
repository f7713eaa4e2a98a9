/**
 * `/auth`, `/auth/<family>[/r/<id>]` and their like: the endpoints that proxies ask before each request. Any method, any
 * body: nothing about the question but its headers counts (decision K25).
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Answer } from './answer.ts'
import { forbidden, malformedRequest } from './answer.ts'
import type { Checked } from './check.ts'
import { logDecision } from './decision-log.ts'
import type { Endpoint } from './endpoints.ts'
import { withoutQuery } from './path.ts'

export interface ForwardAuthRoutes {
  readonly endpoints: readonly Endpoint[]
  readonly isTrustedProxy: (address: string | undefined) => boolean
  readonly log: Logger
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** An untrusted peer is named in the log once in this time. */
const WARN_EVERY_MS = 60_000

export function forwardAuthRoutes(
  app: FastifyInstance,
  { endpoints, isTrustedProxy, log, now }: ForwardAuthRoutes,
): void {
  let warnedAt = Number.NEGATIVE_INFINITY

  function refuseStranger(request: FastifyRequest): Answer {
    if (now() - warnedAt >= WARN_EVERY_MS) {
      warnedAt = now()
      log.warn(
        { peer: request.socket.remoteAddress },
        'refused a forward-auth request of an untrusted peer: add its address to TRUSTED_PROXIES if it is your proxy',
      )
    }
    return forbidden('this peer is not a trusted proxy')
  }

  function examine(
    { contract, check }: Endpoint,
    pinned: string | undefined,
    request: FastifyRequest,
  ): Checked | Promise<Checked> {
    const located = contract.locate(request.raw)
    if ('problem' in located) {
      const { reason } = located
      const answer = located.problem === 'doubled' ? malformedRequest(reason) : forbidden(reason)
      return { answer, reason }
    }
    return check({
      located,
      rawHeaders: request.raw.rawHeaders,
      requestId: request.id,
      ...(pinned !== undefined && { pinned }),
    })
  }

  function route(endpoint: Endpoint): void {
    const { path: url, contract, canPin } = endpoint
    const pin = `${url}/r/`
    // Before Fastify looks at the body: it refuses odd content types by itself, and a QUERY without one.
    const onRequest = (request: FastifyRequest, reply: FastifyReply): void => {
      const path = withoutQuery(request.raw.url ?? '')
      // Never a route parameter: Fastify decodes `%2F` in those and refuses long ones.
      const pinned = canPin && path.startsWith(pin) ? path.slice(pin.length) : undefined
      if (pinned === undefined && path !== url) {
        reply.callNotFound()
        return
      }
      if (!isTrustedProxy(request.socket.remoteAddress)) {
        reply.hijack()
        write(reply.raw, contract.adapt(refuseStranger(request)), request.method)
        return
      }
      const started = performance.now()
      const checked = examine(endpoint, pinned, request)
      reply.hijack()
      const answer = (outcome: Checked) => {
        write(reply.raw, contract.adapt(outcome.answer, outcome.verified), request.method)
        logDecision(log, request, outcome, started)
      }
      if (!(checked instanceof Promise)) {
        answer(checked)
        return
      }
      checked.then(answer).catch((error: unknown) => {
        log.error({ requestId: request.id, err: error }, 'unexpected error in a check')
        // Fail closed, and as an outage: nothing is known about the credential.
        const failure: Answer = { status: 500, headers: ['Content-Length', '0'] }
        write(reply.raw, contract.adapt(failure), request.method)
      })
    }
    app.all(url, { onRequest }, answeredBefore)
    if (canPin) app.all(`${pin}*`, { onRequest }, answeredBefore)
  }

  for (const endpoint of endpoints) route(endpoint)
}

/** The handler of a route whose `onRequest` answers everything. */
const answeredBefore = () => undefined

function write(response: ServerResponse, answer: Answer, method: string): void {
  // A flat list keeps every line and its spelling; Node takes it without copying.
  response.writeHead(answer.status, answer.headers as string[])
  response.end(method === 'HEAD' ? undefined : answer.body)
}

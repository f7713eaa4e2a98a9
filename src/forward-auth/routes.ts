/**
 * `/auth` and `/auth/<family>[/r/<id>]`: the endpoints that proxies ask before each request. Any method, any body:
 * nothing about the question but its headers counts (decision K25).
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Answer } from './answer.ts'
import { forbidden, malformedRequest } from './answer.ts'
import type { Check, Checked } from './check.ts'
import type { Contract } from './contracts/contract.ts'
import { CONTRACTS, DEFAULT_CONTRACT } from './contracts/index.ts'
import { logDecision } from './decision-log.ts'
import { withoutQuery } from './path.ts'

export interface ForwardAuthRoutes {
  readonly check: Check
  readonly isTrustedProxy: (address: string | undefined) => boolean
  readonly log: Logger
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** An untrusted peer is named in the log once in this time. */
const WARN_EVERY_MS = 60_000

export function forwardAuthRoutes(
  app: FastifyInstance,
  { check, isTrustedProxy, log, now }: ForwardAuthRoutes,
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
    contract: Contract,
    pinned: string | undefined,
    request: FastifyRequest,
  ): Checked | Promise<Checked> {
    const located = contract.locate(request.raw)
    if ('problem' in located) {
      const reason = `${located.header} is ${located.problem}`
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

  function endpoint(url: string, contract: Contract): void {
    const pin = `${url}/r/`
    // Before Fastify looks at the body: it refuses odd content types by itself, and a QUERY without one.
    const onRequest = (request: FastifyRequest, reply: FastifyReply): void => {
      const path = withoutQuery(request.raw.url ?? '')
      // Never a route parameter: Fastify decodes `%2F` in those and refuses long ones.
      const pinned = path.startsWith(pin) ? path.slice(pin.length) : undefined
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
      const checked = examine(contract, pinned, request)
      reply.hijack()
      const answer = (outcome: Checked) => {
        write(reply.raw, contract.adapt(outcome.answer), request.method)
        logDecision(log, request, outcome, started)
      }
      if (!(checked instanceof Promise)) {
        answer(checked)
        return
      }
      checked.then(answer).catch((error: unknown) => {
        log.error({ requestId: request.id, err: error }, 'unexpected error in a check')
        // Fail closed, and as an outage: nothing is known about the credential.
        write(reply.raw, { status: 500, headers: ['Content-Length', '0'] }, request.method)
      })
    }
    app.all(url, { onRequest }, answeredBefore)
    app.all(`${url}/r/*`, { onRequest }, answeredBefore)
  }

  endpoint('/auth', DEFAULT_CONTRACT)
  for (const contract of CONTRACTS) endpoint(`/auth/${contract.family}`, contract)
}

/** The handler of a route whose `onRequest` answers everything. */
const answeredBefore = () => undefined

function write(response: ServerResponse, answer: Answer, method: string): void {
  // A flat list keeps every line and its spelling; Node takes it without copying.
  response.writeHead(answer.status, answer.headers as string[])
  response.end(method === 'HEAD' ? undefined : answer.body)
}

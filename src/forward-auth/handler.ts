/**
 * Answers the questions of proxies, `/auth`, `/auth/<family>[/r/<id>]` and their like, straight on the connection. Any
 * method, any body: nothing about a question but its headers counts (decision K25).
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Answer } from '../check/answer.ts'
import { forbidden, malformedRequest } from '../check/answer-table.ts'
import type { Checked } from '../check/check.ts'
import { logDecision } from '../check/decision-log.ts'
import { isNavigation } from '../http/browser-request.ts'
import type { EarlyHandler } from '../http/server.ts'
import { createThrottledWarning } from '../http/throttled-warning.ts'
import { withoutQuery } from '../url/path.ts'
import type { Endpoint } from './endpoints.ts'

export interface HandlerDeps {
  readonly endpoints: readonly Endpoint[]
  readonly isTrustedProxy: (address: string | undefined) => boolean
  readonly log: Logger
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

interface Found {
  readonly endpoint: Endpoint
  readonly pinned: string | undefined
}

/** What stands between an endpoint and the id of the only resource that is asked about. */
export const PIN = '/r/'
const FAILURE: Answer = { status: 500, headers: ['Content-Length', '0'] }

/** Answers a request, now or once the store has, if it is one for these endpoints. */
export function createHandler(deps: HandlerDeps): EarlyHandler {
  const { isTrustedProxy, log, now } = deps
  const byPath = new Map(deps.endpoints.map((endpoint) => [endpoint.path, endpoint]))

  function find(path: string): Found | undefined {
    const exact = byPath.get(path)
    if (exact) return { endpoint: exact, pinned: undefined }
    const end = path.indexOf(PIN)
    const endpoint = end === -1 ? undefined : byPath.get(path.slice(0, end))
    return endpoint?.canPin ? { endpoint, pinned: path.slice(end + PIN.length) } : undefined
  }

  const warnOfStranger = createThrottledWarning({
    log,
    message:
      'refused a forward-auth request of an untrusted peer: add its address to TRUSTED_PROXIES if it is your proxy',
    now,
  })
  function refuseStranger(request: IncomingMessage, requestId: string): Answer {
    warnOfStranger({ requestId, peer: request.socket.remoteAddress })
    return forbidden('this peer is not a trusted proxy', {
      requestId,
      isNavigation: () => isNavigation(request.method ?? '', request.rawHeaders),
    })
  }

  function examine(
    { endpoint: { contract, check }, pinned }: Found,
    request: IncomingMessage,
    requestId: string,
  ): Checked | Promise<Checked> {
    const located = contract.locate(request)
    if ('problem' in located) {
      const { reason } = located
      const answer = located.problem === 'doubled' ? malformedRequest(reason) : forbidden(reason)
      return { answer, reason }
    }
    return check({ located, rawHeaders: request.rawHeaders, requestId, pinned })
  }

  return (request, response, requestId) => {
    const found = find(withoutQuery(request.url ?? ''))
    if (!found) return false
    const { contract } = found.endpoint
    const started = performance.now()
    const answer = (outcome: Checked) => {
      write(response, contract.adapt(outcome.answer, outcome.verified), request)
      logDecision(log, { request, requestId, outcome, started })
    }
    const fail = (error: unknown) => {
      log.error({ requestId, err: error }, 'unexpected error in a check')
      // Fail closed, and as an outage: nothing is known about the credential.
      if (response.headersSent) response.destroy()
      else write(response, contract.adapt(FAILURE), request)
    }
    // Whatever is thrown from here would end the process: nobody stands above us.
    try {
      if (!isTrustedProxy(request.socket.remoteAddress)) {
        write(response, contract.adapt(refuseStranger(request, requestId)), request)
        return true
      }
      const checked = examine(found, request, requestId)
      if (checked instanceof Promise) checked.then(answer).catch(fail)
      else answer(checked)
    } catch (error) {
      fail(error)
    }
    return true
  }
}

function write(response: ServerResponse, answer: Answer, { method }: IncomingMessage): void {
  // A flat list keeps every line and its spelling; Node takes it without copying.
  response.writeHead(answer.status, answer.headers as string[])
  response.end(method === 'HEAD' ? undefined : answer.body)
}

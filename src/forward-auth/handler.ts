/**
 * Answers the questions of proxies, at addresses such as `/auth/<family>[/r/<id>]`, before Fastify builds a request.
 * This folder owns these addresses and how each proxy family asks; `check/` decides. Only the headers of a question
 * count, whatever its method and body (decision K25).
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Answer } from '../check/answer.ts'
import { forbidden, malformedRequest } from '../check/answer-table.ts'
import type { Checked, ReportCheck } from '../check/check.ts'
import { dressed } from '../check/pages-for-people.ts'
import type { Events } from '../events.ts'
import { readerOf } from '../http/browser-request.ts'
import { REQUEST_ID } from '../http/request-id.ts'
import type { EarlyHandler } from '../http/server.ts'
import type { Brand } from '../pages/brand.ts'
import { parseIpAddress } from '../url/ip-address.ts'
import { withoutQuery } from '../url/path.ts'
import type { Endpoint } from './endpoints.ts'

export interface HandlerDeps {
  readonly endpoints: readonly Endpoint[]
  readonly isTrustedProxy: (address: string | undefined) => boolean
  readonly events: Events
  readonly reportCheck: ReportCheck
  readonly brand: Pick<Brand, 'dress' | 'dressPolicy'>
  /** The addresses and CIDRs of trusted proxies, for the line that adds another one. */
  readonly trustedProxies: readonly string[]
}

interface Found {
  readonly endpoint: Endpoint
  readonly pinned: string | undefined
}

/** Separates the path of an endpoint from the id of the only resource that the question may be about. */
export const PIN = '/r/'
const FAILURE: Answer = { status: 500, headers: ['Content-Length', '0'] }

/** Answers requests for these endpoints, at once or after the store has; leaves all others to the routes. */
export function createHandler(deps: HandlerDeps): EarlyHandler {
  const { isTrustedProxy, events, reportCheck, trustedProxies, brand } = deps
  const byPath = new Map(deps.endpoints.map((endpoint) => [endpoint.path, endpoint]))

  function find(path: string): Found | undefined {
    const exact = byPath.get(path)
    if (exact) return { endpoint: exact, pinned: undefined }
    const end = path.indexOf(PIN)
    const endpoint = end === -1 ? undefined : byPath.get(path.slice(0, end))
    return endpoint?.canPin ? { endpoint, pinned: path.slice(end + PIN.length) } : undefined
  }

  function refuseUntrustedPeer(
    { endpoint }: Found,
    request: IncomingMessage,
    requestId: string,
  ): Answer {
    const remote = request.socket.remoteAddress ?? ''
    const peer = parseIpAddress(remote) ?? remote
    const fix = `TRUSTED_PROXIES=${[...trustedProxies, peer].join(',')}`
    const { family } = endpoint.contract
    events.emit({ event: 'peer-untrusted', requestId, peer, fix, family })
    return forbidden('this peer is not a trusted proxy', {
      requestId,
      reader: () => readerOf(request.method ?? '', request.rawHeaders),
    })
  }

  function examine(
    { endpoint: { contract, check }, pinned }: Found,
    request: IncomingMessage,
    requestId: string,
  ): Checked | Promise<Checked> {
    const located = contract.locate(request)
    if ('problem' in located) {
      const { reason, asked } = located
      const answer = located.problem === 'doubled' ? malformedRequest(reason) : forbidden(reason)
      return asked === undefined
        ? { kind: 'request-refused', answer, reason }
        : { kind: 'address-unknown', answer, reason, unknown: { asked, nearest: undefined } }
    }
    return check({ located, rawHeaders: request.rawHeaders, requestId, pinned, carrier: request })
  }

  return (request, response, requestId) => {
    const found = find(withoutQuery(request.url ?? ''))
    if (!found) return false
    const { contract } = found.endpoint
    const started = performance.now()
    const { family } = contract
    const write = ({ status, headers, body }: Answer) => {
      // A flat list keeps every line and its spelling.
      response.writeHead(status, [...headers, REQUEST_ID, requestId])
      response.end(request.method === 'HEAD' ? undefined : body)
    }
    const answer = (checked: Checked) => {
      write(contract.adapt(dressed(checked.answer, brand), checked.verified))
      reportCheck({ request, requestId, checked, started, family })
    }
    const fail = (error: unknown) => {
      events.emit({ event: 'request-failed', requestId, err: error, status: FAILURE.status })
      // Fail closed, as an outage: nothing is known about the credential.
      if (response.headersSent) response.destroy()
      else write(contract.adapt(FAILURE))
    }
    // No caller catches an error of this function: it would end the process.
    try {
      if (!isTrustedProxy(request.socket.remoteAddress)) {
        const refused = dressed(refuseUntrustedPeer(found, request, requestId), brand)
        write(contract.adapt(refused))
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

/**
 * Streams one allowed request to the server behind us, and its answer back. If the client disconnects, the request to
 * the server ends too, even before an answer has begun: an MCP client cancels that way.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, type Dispatcher } from 'undici'
import { lingerThenClose } from '../http/lingering-close.ts'
import { type RequestBody, takeBody } from './request-body.ts'

/** The upstream did not answer. Nothing was sent to the client yet. */
export class UpstreamUnavailable extends Error {
  override readonly name = 'UpstreamUnavailable'
}

export interface Upstream {
  /**
   * @param target origin and path with query, as they go on the wire
   * @param responseHeaders maps the upstream's headers, a flat list in Latin-1, to the client's
   * @throws UpstreamUnavailable if the upstream fails before its answer has begun
   */
  forward(
    request: IncomingMessage,
    response: ServerResponse,
    target: { readonly origin: string; readonly path: string; readonly headers: readonly string[] },
    responseHeaders: (upstream: readonly string[]) => string[],
  ): Promise<void>
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 10_000
/** The same limit as for a client's headers. */
const MAX_HEADER_SIZE = 64 * 1024
const EMPTY = Buffer.alloc(0)

/** @param options `idleMs`: a request ends after this time without a byte in either direction; 0 is no limit */
export function createUpstream({ idleMs }: { readonly idleMs: number }): Upstream {
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // A tool may think for minutes before it answers, and an event stream is silent while nothing happens.
    headersTimeout: idleMs,
    bodyTimeout: idleMs,
    maxHeaderSize: MAX_HEADER_SIZE,
  })

  return {
    forward(request, response, { origin, path, headers }, responseHeaders) {
      return new Promise((resolve, reject) => {
        if (response.destroyed) {
          // The client left during the check.
          resolve()
          return
        }
        let controller: Dispatcher.DispatchController | undefined
        let gone = false
        let headOnly: NodeJS.Immediate | undefined
        response.once('close', () => {
          gone = true
          if (!response.writableFinished) controller?.abort(new Error('the client left'))
          resolve()
        })
        const dispatch = (body: RequestBody) =>
          agent.dispatch(
            {
              origin,
              path,
              method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
              headers: headers as string[],
              body,
            },
            {
              onRequestStart(started) {
                controller = started
                if (gone) started.abort(new Error('the client left'))
              },
              onRequestUpgrade(started) {
                started.abort(new Error('no upgrade was requested'))
              },
              onResponseStart(started, status, parsed) {
                // 1xx answers stay between us and the upstream.
                if (status < 200) return
                const lines = latin1(
                  Array.isArray(started.rawHeaders)
                    ? started.rawHeaders
                    : Object.entries(parsed).flat(2),
                )
                // Nothing else can come on a connection whose upload may stay unread.
                if (!request.complete) response.shouldKeepAlive = false
                response.writeHead(status, responseHeaders(lines))
                // A body of known length follows at once and takes the head along.
                if (parsed['content-length'] !== undefined) return
                // Send the head with the body if that has come too, else alone: an event stream may be silent for a
                // long time. `flushHeaders` would write the head as UTF-8 and so change every byte beyond ASCII.
                headOnly = setImmediate(() => {
                  if (!response.destroyed) response.write(EMPTY)
                })
              },
              onResponseData(started, chunk) {
                clearImmediate(headOnly)
                if (response.write(chunk)) return
                started.pause()
                response.once('drain', () => started.resume())
              },
              onResponseEnd() {
                clearImmediate(headOnly)
                lingerThenClose(request, response)
                response.end()
                resolve()
              },
              onResponseError(_started, cause) {
                if (gone) return
                if (response.headersSent) {
                  // Half an answer must not look whole.
                  response.destroy()
                  resolve()
                } else {
                  reject(new UpstreamUnavailable('the upstream did not answer', { cause }))
                }
              },
            },
          )
        takeBody(request, dispatch, idleMs)
      })
    },
    close: () => agent.destroy(),
  }
}

function latin1(lines: readonly unknown[]): string[] {
  const decoded: string[] = []
  for (const line of lines) {
    decoded.push(Buffer.isBuffer(line) ? line.toString('latin1') : String(line))
  }
  return decoded
}

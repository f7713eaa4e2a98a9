/**
 * Passes one allowed request on to the server behind us and its answer back, streaming both ways; the client
 * leaving ends the request there, also before an answer has begun, since that is how an MCP client cancels.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, type Dispatcher } from 'undici'
import { type RequestBody, takeBody } from './request-body.ts'

/** The upstream did not answer. Nothing was sent to the client yet. */
export class UpstreamUnavailable extends Error {
  override readonly name = 'UpstreamUnavailable'
}

export interface Upstream {
  /**
   * @param target where to: origin and path with query, as they go on the wire
   * @param responseHeaders from the upstream's headers, a flat list in Latin-1, to the client's
   * @throws UpstreamUnavailable while the answer can still be another one
   */
  forward(
    request: IncomingMessage,
    response: ServerResponse,
    target: { readonly origin: string; readonly path: string; readonly headers: readonly string[] },
    responseHeaders: (upstream: readonly string[]) => string[],
  ): Promise<void>
  close(): Promise<void>
}

/** A tool may think for long; an event stream is silent for as long as nothing happens. */
const HEADERS_TIMEOUT_MS = 15 * 60_000
const CONNECT_TIMEOUT_MS = 10_000
/** As much as we take from a client. */
const MAX_HEADER_SIZE = 64 * 1024
const NOTHING = Buffer.alloc(0)

export function createUpstream(): Upstream {
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: 0,
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
        let headAlone: NodeJS.Immediate | undefined
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
                started.abort(new Error('an upgrade was not asked for'))
              },
              onResponseStart(started, status, parsed) {
                // 1xx are between us and the upstream.
                if (status < 200) return
                const lines = latin1(
                  Array.isArray(started.rawHeaders)
                    ? started.rawHeaders
                    : Object.entries(parsed).flat(2),
                )
                response.writeHead(status, responseHeaders(lines))
                // What has a length follows at once, and the head goes with it.
                if (parsed['content-length'] !== undefined) return
                // With the body where that has come too, else by itself: an event stream may be silent for a long time.
                // Not by `flushHeaders`, which writes it as UTF-8: every byte of it beyond ASCII would be another one.
                headAlone = setImmediate(() => {
                  if (!response.destroyed) response.write(NOTHING)
                })
              },
              onResponseData(started, chunk) {
                clearImmediate(headAlone)
                if (response.write(chunk)) return
                started.pause()
                response.once('drain', () => started.resume())
              },
              onResponseEnd() {
                clearImmediate(headAlone)
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
        takeBody(request, response, dispatch)
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

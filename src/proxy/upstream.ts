/**
 * Streams one allowed request to the server behind us, and its answer back. If the client disconnects, the request to
 * the server ends too, even before an answer has begun: an MCP client cancels that way. Redirects within the server are
 * followed: many clients do not send a body again, and MCP servers redirect `/mcp` to `/mcp/`.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, type Dispatcher } from 'undici'
import type { Answer } from '../check/answer.ts'
import { lingerThenClose } from '../http/lingering-close.ts'
import { REQUEST_ID } from '../http/request-id.ts'
import { asksForTunnel } from '../http/upgrades.ts'
import { createTakeBody, type RequestBody } from './request-body.ts'
import { whenDrained } from './slow-client.ts'
import { createSteadyConnector } from './steady-connection.ts'
import { openTunnel, UPGRADE_LINES } from './tunnel.ts'
import type { BodyRefusal } from './whole-body.ts'

/** The upstream did not answer. Nothing was sent to the client yet. */
export class UpstreamUnavailable extends Error {
  override readonly name = 'UpstreamUnavailable'
}

/** The body of the request is not taken. */
export class BodyRefused extends Error {
  override readonly name = 'BodyRefused'
  readonly reason: BodyRefusal

  constructor(reason: BodyRefusal) {
    super(`the body is refused: ${reason}`)
    this.reason = reason
  }
}

/** The head of an answer; `lines` is a flat list of names and values in Latin-1. */
export interface AnswerHead {
  readonly status: number
  readonly lines: readonly string[]
}

export interface UpstreamCall {
  readonly request: IncomingMessage
  /** The number of the request, for the client. */
  readonly requestId: string
  readonly response: ServerResponse
  /** Origin and path with query, as they go on the wire. */
  readonly target: {
    readonly origin: string
    readonly path: string
    readonly headers: readonly string[]
  }
  /**
   * The headers for the client.
   * @param path the request target at the upstream that it answers
   */
  readonly responseHeaders: (head: AnswerHead, path: string) => string[]
  /** Called if the answer is an event stream, or opens a tunnel. */
  readonly onStream?: () => void
  /** The path with query to ask next, in place of an answer; undefined if the client gets this answer. */
  readonly redirect: (head: AnswerHead, path: string) => string | undefined
  /** Our own answer in the place of this one, whose body nobody reads then; undefined if the client gets this one. */
  readonly instead?: (head: AnswerHead) => Answer | undefined
  /** Our own answer in place of the whole call, by the whole body of the request, empty if it has none; undefined if it may go on. */
  readonly judge?: ((body: Buffer) => Answer | undefined) | undefined
}

export interface Upstream {
  /**
   * @throws UpstreamUnavailable if the upstream fails before its answer has begun, or redirects in a circle
   * @throws BodyRefused
   */
  forward(call: UpstreamCall): Promise<void>
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 10_000
/** The same limit as for a client's headers. In bytes. */
const HEADER_LIMIT = 64 * 1024
const MAX_REDIRECTS = 10
/** While a handshake has no answer, nobody sees the client leave. In milliseconds. */
const HANDSHAKE_MS = 30_000
/** A body that no client gets is read to its end, so that the connection can be used again, within these bounds. */
const MAX_SKIPPED = { bytes: 64 * 1024, ms: 1000 }
/** An answer's body of up to this size goes on in one piece with its head, if it comes in one. In bytes. */
const MAX_COPIED = 16 * 1024
/** Answers that end with their head (RFC 9112 section 6.3). */
const BODILESS = new Set([204, 304])
const EMPTY = Buffer.alloc(0)

/**
 * @param options `idleMs`: a request ends after this time without a byte in either direction; `bodyLimit` and
 *   `headerLimit`: bytes of a request's body and of an answer's headers. 0 is no limit for `idleMs` and `bodyLimit`
 */
export function createUpstream(options: {
  readonly idleMs: number
  readonly bodyLimit?: number | undefined
  readonly headerLimit?: number | undefined
}): Upstream {
  const { idleMs, bodyLimit = 0, headerLimit = HEADER_LIMIT } = options
  const takeBody = createTakeBody({ idleMs, limit: bodyLimit })
  const agent = new Agent({
    connect: createSteadyConnector({ timeout: CONNECT_TIMEOUT_MS }),
    // A tool may think for minutes before it answers, and an event stream is silent while nothing happens.
    headersTimeout: idleMs,
    bodyTimeout: idleMs,
    maxHeaderSize: headerLimit,
  })

  return {
    forward: (call) => forward({ agent, takeBody, idleMs }, call),
    close: () => agent.destroy(),
  }
}

/** A redirect that we follow, when the rest of its answer has come. */
interface Held extends AnswerHead {
  readonly next: string
}

interface Means {
  readonly agent: Agent
  readonly takeBody: ReturnType<typeof createTakeBody>
  readonly idleMs: number
}

function forward(
  { agent, takeBody, idleMs }: Means,
  {
    request,
    requestId,
    response,
    target,
    responseHeaders,
    redirect,
    instead,
    judge,
    onStream,
  }: UpstreamCall,
): Promise<void> {
  const tunnel = asksForTunnel(request)
    ? { upgrade: 'websocket', headersTimeout: HANDSHAKE_MS }
    : undefined
  return new Promise((resolve, reject) => {
    if (response.destroyed) {
      // The client left during the check.
      resolve()
      return
    }
    let controller: Dispatcher.DispatchController | undefined
    let gone = false
    let headOnly: NodeJS.Immediate | undefined
    /** The bytes of the answer's body that are still to come, if its length is known. */
    let left = Number.NaN
    let kept: RequestBody | undefined
    response.once('close', () => {
      gone = true
      kept?.release()
      if (!response.writableFinished) controller?.abort(new Error('the client left'))
      resolve()
    })

    function begin(head: AnswerHead, path: string, hasLength: boolean): void {
      kept?.release()
      // Nothing else can come on a connection whose upload may stay unread.
      if (!request.complete) response.shouldKeepAlive = false
      response.writeHead(head.status, [...responseHeaders(head, path), REQUEST_ID, requestId])
      // A body of known length follows at once and takes the head along.
      if (hasLength) return
      // Send the head with the body if that has come too, else alone: an event stream may be silent for a long time.
      // `flushHeaders` would write the head as UTF-8 and so change every byte beyond ASCII.
      headOnly = setImmediate(() => {
        if (!response.destroyed) response.write(EMPTY)
      })
    }

    function answerInstead({ status, headers, body }: Answer): void {
      kept?.release()
      if (response.headersSent || response.destroyed) {
        resolve()
        return
      }
      lingerThenClose(request, response)
      response.writeHead(status, [...headers, REQUEST_ID, requestId])
      response.end(request.method === 'HEAD' ? undefined : body)
      resolve()
    }

    function end(): void {
      clearImmediate(headOnly)
      lingerThenClose(request, response)
      response.end()
      resolve()
    }

    /** Sends the head and the whole body by a single write. A small text costs less to copy than a second buffer to send. */
    function writeWhole(body: Buffer): void {
      response.write(body.toString('latin1'), 'latin1')
      // Node holds a write back until the next turn, to send it together with what follows: nothing does.
      response.socket?.uncork()
    }

    function follow(held: Held, path: string, asked: readonly string[]): void {
      if (gone) return
      if (asked.includes(held.next) || asked.length > MAX_REDIRECTS) {
        const cause = new Error('it redirects in a circle')
        reject(new UpstreamUnavailable('the upstream did not answer', { cause }))
        return
      }
      kept?.again((content) => {
        if (gone) return
        if (content !== undefined) {
          ask(held.next, content, [...asked, held.next])
          return
        }
        // The body cannot be sent again, so the client gets the redirect.
        begin({ ...held, lines: withoutContent(held.lines) }, path, true)
        end()
      })
    }

    function ask(path: string, body: RequestBody['content'], asked: readonly string[]): void {
      let held: Held | 'replaced' | undefined
      let skipped = 0
      let skipping: NodeJS.Timeout | undefined
      agent.dispatch(
        {
          origin: target.origin,
          path,
          method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
          headers: target.headers as string[],
          body,
          ...tunnel,
        },
        {
          onRequestStart(started) {
            controller = started
            if (gone) started.abort(new Error('the client left'))
          },
          onRequestUpgrade(started, status, parsed, socket) {
            const head = { status, lines: linesOf(started.rawHeaders, parsed) }
            const headers = [
              ...responseHeaders(head, path),
              REQUEST_ID,
              requestId,
              ...UPGRADE_LINES,
            ]
            onStream?.()
            // Bytes on their way to either side still arrive when the other one leaves.
            controller = undefined
            openTunnel(response, socket, { headers, idleMs })
          },
          onResponseStart(started, status, parsed) {
            // 1xx answers stay between us and the upstream.
            if (status < 200) return
            const head = { status, lines: linesOf(started.rawHeaders, parsed) }
            const own = instead?.(head)
            const next = own ? undefined : redirect(head, path)
            if (!own && next === undefined) {
              if (/^text\/event-stream\b/i.test(String(parsed['content-type']))) onStream?.()
              left = Number(parsed['content-length'])
              begin(head, path, !Number.isNaN(left))
              // A 304 may tell the length that a 200 would have had (RFC 9110 section 8.6): the driver waits for those bytes.
              if (BODILESS.has(status)) end()
              return
            }
            held = next === undefined ? 'replaced' : { ...head, next }
            const stop = () => started.abort(new Error('the rest of the answer is not needed'))
            skipping = setTimeout(stop, MAX_SKIPPED.ms)
            if (own) answerInstead(own)
          },
          onResponseData(started, chunk) {
            if (held) {
              skipped += chunk.length
              if (skipped > MAX_SKIPPED.bytes) started.abort(new Error('too long'))
              return
            }
            // The driver goes on with an empty piece after a pause.
            if (chunk.length === 0) return
            clearImmediate(headOnly)
            if (chunk.length === left && left <= MAX_COPIED) {
              writeWhole(chunk)
              return
            }
            left -= chunk.length
            if (response.write(chunk)) return
            started.pause()
            whenDrained(response, { idleMs, goOn: () => started.resume() })
          },
          onResponseEnd() {
            clearTimeout(skipping)
            if (held === 'replaced') return
            if (held) follow(held, path, asked)
            else if (!response.writableEnded) end()
          },
          onResponseError(_started, cause) {
            clearTimeout(skipping)
            if (gone || held === 'replaced' || response.writableEnded) return
            if (held) {
              follow(held, path, asked)
            } else if (response.headersSent) {
              // Half an answer must not look whole.
              response.destroy()
              resolve()
            } else {
              reject(new UpstreamUnavailable('the upstream did not answer', { cause }))
            }
          },
        },
      )
    }

    const send = (body: RequestBody) => {
      if (gone) {
        body.release()
        return
      }
      kept = body
      const content = body.content ?? EMPTY
      const own = Buffer.isBuffer(content) ? judge?.(content) : undefined
      if (own) return answerInstead(own)
      ask(target.path, body.content, [target.path])
    }
    const refuse = (reason: BodyRefusal) => {
      gone = true
      kept?.release()
      const refused = new BodyRefused(reason)
      controller?.abort(refused)
      reject(refused)
    }
    takeBody(request, send, refuse, { isWhole: judge !== undefined })
  })
}

function linesOf(
  raw: Dispatcher.DispatchController['rawHeaders'],
  parsed: Readonly<Record<string, string | string[] | undefined>>,
): string[] {
  const lines: readonly unknown[] = Array.isArray(raw) ? raw : Object.entries(parsed).flat(2)
  return lines.map((line) => (Buffer.isBuffer(line) ? line.toString('latin1') : String(line)))
}

/** The headers of an answer whose body was left out. */
function withoutContent(lines: readonly string[]): string[] {
  const kept: string[] = ['Content-Length', '0']
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? ''
    if (!/^(?:content-(?:length|type|encoding|range)|transfer-encoding)$/i.test(name)) {
      kept.push(name, lines[i + 1] ?? '')
    }
  }
  return kept
}

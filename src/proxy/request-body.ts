/**
 * Passes the body of a request on: a small one, such as that of a tool call, in one piece, which costs a third less
 * than a stream of one piece; a larger one as it arrives. A body that is not too large can be sent again, for a redirect.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { PassThrough, type Readable } from 'node:stream'
import { type BodyRefusal, type Budget, collectWhole, MAX_WHOLE, WHOLE_MS } from './whole-body.ts'

export interface RequestBody {
  readonly content: Buffer | Readable | null
  /**
   * Calls `use` with the whole content as soon as all of it has come; with undefined if it is too large to be kept. Never
   * calls it if the client leaves.
   */
  readonly again: (use: (content: Buffer | null | undefined) => void) => void
  /** Frees the kept content: it will not be sent again. */
  readonly release: () => void
}

/** Bodies up to this size go on in one piece. In bytes. */
const MAX_BUFFERED = 64 * 1024
/** Larger bodies are kept beside their stream up to this size, until the answer begins. In bytes. */
const MAX_KEPT = 1024 * 1024
/** All kept bodies of a process together. In bytes. */
const MAX_KEPT_TOTAL = 64 * 1024 * 1024
const EMPTY = Buffer.alloc(0)

/**
 * Calls `send` with the body: a small one when it is complete, and never if it is cut off; a larger one at once. Cuts
 * the connection if no byte of it passes for the idle time.
 */
export type TakeBody = (
  request: IncomingMessage,
  send: (body: RequestBody) => void,
  /** Called in place of `send`, or after it, if the body is larger than the limit. */
  refuse: (reason: BodyRefusal) => void,
  /** `isWhole`: the body comes in one piece, however it was sent, and has limits of its own. */
  options?: { readonly isWhole?: boolean },
) => void

/** @param options `idleMs` and `limit` (bytes): 0 is no limit */
export function createTakeBody({ idleMs, limit }: { idleMs: number; limit: number }): TakeBody {
  const budget: Budget = { left: MAX_KEPT_TOTAL }
  return (request, send, refuse, { isWhole = false } = {}) => {
    const length = lengthOf(request)
    // Most bodies come with their head and need no timer.
    if (length !== 0 && idleMs > 0) setImmediate(endWhenSilent, request, idleMs)
    const most = mostOf(limit, isWhole)
    if (length > most && Number.isFinite(length)) {
      refuse('too-large')
      return
    }
    if (length === 0) send(whole(null))
    else if (isWhole) {
      const done = (content: Buffer, free: () => void) => send({ ...whole(content), release: free })
      collectWhole(request, { most, ms: WHOLE_MS, budget }, { done, refuse })
    } else if (length <= MAX_BUFFERED) collect(request, length, (content) => send(whole(content)))
    else {
      if (length > most) countBytes(request, most, () => refuse('too-large'))
      send(stream(request, length, budget))
    }
  }
}

/** The bytes that a body may have. */
function mostOf(limit: number, isWhole: boolean): number {
  const most = limit > 0 ? limit : Number.POSITIVE_INFINITY
  return isWhole ? Math.min(most, MAX_WHOLE) : most
}

const whole = (content: Buffer | null): RequestBody => ({
  content,
  again: (use) => use(content),
  release: () => undefined,
})

/** The length in bytes (RFC 9112 section 6.3); Infinity if only the end of the body tells it. */
function lengthOf({ headers }: IncomingMessage): number {
  if (headers['transfer-encoding'] !== undefined) return Number.POSITIVE_INFINITY
  return Number(headers['content-length'] ?? 0)
}

/** Node's parser ensures that exactly `length` bytes come. */
function collect(request: IncomingMessage, length: number, send: (body: Buffer) => void): void {
  // Copy the pieces: pieces of one byte each, kept as they are, would take hundreds of times their size.
  const body = Buffer.allocUnsafe(length)
  let filled = 0
  request.on('data', (chunk: Buffer) => {
    filled += chunk.copy(body, filled)
  })
  request.once('end', () => send(body.subarray(0, filled)))
}

/**
 * Through a stream of its own: when the call to the upstream ends early, its driver destroys the body, and with the
 * request it would destroy the client's connection.
 */
function stream(request: IncomingMessage, length: number, budget: Budget): RequestBody {
  const mayFit = length === Number.POSITIVE_INFINITY || length <= MAX_KEPT
  const copy = mayFit ? keepCopy(request, budget) : undefined
  return {
    content: request.pipe(new PassThrough()),
    again: (use) => (copy ? copy.whenComplete(use) : use(undefined)),
    release: () => copy?.release(),
  }
}

/** Keeps what comes of a body until it is released or too large. */
function keepCopy(request: IncomingMessage, budget: Budget) {
  let kept: Buffer | undefined = EMPTY
  let size = 0
  let waiting: ((content: Buffer | undefined) => void) | undefined
  function drop(): void {
    if (kept === undefined) return
    budget.left += kept.length
    kept = undefined
    waiting?.(undefined)
    waiting = undefined
  }
  /** One buffer that doubles: pieces of one byte each, kept as they are, would take hundreds of times their size. */
  function grow(wanted: number): boolean {
    const length = Math.max(wanted, 2 * size, MAX_BUFFERED)
    const more = length - (kept?.length ?? 0)
    if (kept === undefined || wanted > MAX_KEPT || more > budget.left) return false
    budget.left -= more
    const grown = Buffer.allocUnsafe(length)
    kept.copy(grown, 0, 0, size)
    kept = grown
    return true
  }
  request.on('data', (chunk: Buffer) => {
    if (kept === undefined) return
    const wanted = size + chunk.length
    if (wanted > kept.length && !grow(wanted)) drop()
    else size += chunk.copy(kept ?? EMPTY, size)
  })
  request.once('end', () => kept && waiting?.(kept.subarray(0, size)))
  return {
    release(): void {
      waiting = undefined
      drop()
    },
    whenComplete(use: (content: Buffer | undefined) => void): void {
      if (kept === undefined) use(undefined)
      else if (request.readableEnded) use(kept.subarray(0, size))
      else {
        waiting = use
        // Its stream ends with the call to the upstream, and would pause the request then.
        request.unpipe().resume()
      }
    },
  }
}

function countBytes(request: IncomingMessage, limit: number, onTooLarge: () => void): void {
  let left = limit
  const count = (chunk: Buffer) => {
    left -= chunk.length
    if (left >= 0) return
    request.off('data', count)
    onTooLarge()
  }
  request.on('data', count)
}

function endWhenSilent(request: IncomingMessage, idleMs: number): void {
  if (request.readableEnded || request.destroyed) return
  const timer = setTimeout(() => request.destroy(), idleMs)
  request.on('data', () => timer.refresh())
  request.once('close', () => clearTimeout(timer))
  request.once('end', () => clearTimeout(timer))
}

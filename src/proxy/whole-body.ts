/**
 * Takes the whole body of a request whose content is judged before any of it goes on. All such bodies share a budget with
 * the copies that are kept for redirects, and none may take its time.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'

/** Why a body is not taken. `no-room`: other bodies use up the budget. */
export type BodyRefusal = 'too-large' | 'no-room' | 'too-slow'

/** Bytes that may be kept besides those that are. */
export interface Budget {
  left: number
}

/** A judged body is read character by character, so it is smaller than others may be. In bytes. */
export const MAX_WHOLE = 256 * 1024
/** A judged body has to be there by then. */
export const WHOLE_MS = 30_000
/** The first buffer, in bytes: most messages fit in. */
const FIRST = 16 * 1024
const EMPTY = Buffer.alloc(0)

/**
 * Calls `done` with the content when all of it has come, or `refuse`, or neither if the client leaves.
 * @param bounds `most`: bytes that the body may have; `ms`: time until its end
 * @param on `done` gets the function that gives the bytes back to the budget, to be called when nobody needs the content
 */
export function collectWhole(
  request: IncomingMessage,
  { most, ms, budget }: { most: number; ms: number; budget: Budget },
  on: {
    readonly done: (content: Buffer, free: () => void) => void
    readonly refuse: (reason: BodyRefusal) => void
  },
): void {
  let kept = EMPTY
  let size = 0
  const timer = setTimeout(() => stop('too-slow'), ms)

  function free(): void {
    budget.left += kept.length
    kept = EMPTY
  }
  function unlisten(): void {
    clearTimeout(timer)
    request.off('data', take)
    request.off('end', finish)
    request.off('close', leave)
  }
  function leave(): void {
    unlisten()
    free()
  }
  function stop(reason: BodyRefusal): void {
    leave()
    on.refuse(reason)
  }
  /** Doubles the one buffer: pieces of one byte each, kept as they are, would take hundreds of times their size. */
  function grow(wanted: number): boolean {
    let length = kept.length || FIRST
    while (length < wanted) length *= 2
    const more = length - kept.length
    if (more > budget.left) return false
    budget.left -= more
    const grown = Buffer.allocUnsafe(length)
    kept.copy(grown, 0, 0, size)
    kept = grown
    return true
  }
  function take(chunk: Buffer): void {
    const wanted = size + chunk.length
    if (wanted > most) stop('too-large')
    else if (wanted > kept.length && !grow(wanted)) stop('no-room')
    else size += chunk.copy(kept, size)
  }
  function finish(): void {
    unlisten()
    on.done(kept.subarray(0, size), free)
  }
  request.on('data', take)
  request.once('end', finish)
  request.once('close', leave)
}

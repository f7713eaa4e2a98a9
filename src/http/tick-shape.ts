/**
 * Keeps `process.nextTick` fast for as long as the process lives.
 *
 * @module
 */
import { executionAsyncResource } from 'node:async_hooks'

const kept: object[] = []

/**
 * Keeps one of the small records that Node makes for each `process.nextTick`. If a garbage collection runs while none
 * is alive, it frees their hidden class; from then on V8 makes them through the runtime, not in place, which costs
 * three times as much, five times per request (seen in Node 20; bench/README.md has the figures). Call this before
 * anything large is loaded.
 */
export function keepTickShape(): void {
  process.nextTick(() => {
    if (kept.length === 0) kept.push(executionAsyncResource())
  })
}

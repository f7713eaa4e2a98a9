/**
 * Keeps `process.nextTick` fast for as long as the process lives.
 *
 * @module
 */
import { executionAsyncResource } from 'node:async_hooks'

const kept: object[] = []

/**
 * Holds on to one of the little records that Node makes for each `process.nextTick`. A garbage collection at a moment
 * when none is alive takes their hidden class with it; V8 then never again makes them in place but through the runtime,
 * which costs three times as much, five times a request (seen in Node 20; bench/README.md has the figures). To be called
 * before anything large is loaded.
 */
export function keepTickShape(): void {
  process.nextTick(() => {
    if (kept.length === 0) kept.push(executionAsyncResource())
  })
}

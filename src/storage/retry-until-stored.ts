/**
 * Retries a step that must be taken in the end although the store is away now: a later step that undoes or completes
 * an earlier one, which may be half done.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { StorageUnavailable } from './storage.ts'

const FIRST_PAUSE_MS = 20
/** Short, since others may meet the half-done step until ours is taken. */
const LONGEST_PAUSE_MS = 250

/**
 * Takes the step. If the store does not answer, this rejects, and the process retries the step in the background until
 * the store answers, for `seconds` at most.
 * @param step a step that may be taken any number of times, also after its answer was lost
 */
export async function retryUntilStored(step: () => Promise<void>, seconds: number): Promise<void> {
  try {
    await step()
  } catch (error) {
    if (error instanceof StorageUnavailable) void retryInBackground(step, seconds)
    throw error
  }
}

async function retryInBackground(step: () => Promise<void>, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  let pause = FIRST_PAUSE_MS
  while (performance.now() < deadline) {
    await delay(pause, undefined, { ref: false })
    try {
      await step()
      return
    } catch (error) {
      // The caller has got the first error already, and nobody waits for this one.
      if (!(error instanceof StorageUnavailable)) return
    }
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
  }
}

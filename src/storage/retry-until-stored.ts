/**
 * Steps that must be taken in the end although the store is away just now: a later step that undoes or completes what
 * an earlier one may have left half done.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { StorageUnavailable } from './storage.ts'

const FIRST_PAUSE_MS = 20
/** Others may meet what is half done until the store has answered us again: not for long. */
const LONGEST_PAUSE_MS = 250

/**
 * Takes the step. If the store does not answer, this rejects, and the step is taken again in the background until it
 * does, in this process, for `seconds` at most.
 * @param step may be taken any number of times, and again after it was taken unheard
 */
export async function retryUntilStored(step: () => Promise<void>, seconds: number): Promise<void> {
  try {
    await step()
  } catch (error) {
    if (error instanceof StorageUnavailable) void takeAgain(step, seconds)
    throw error
  }
}

async function takeAgain(step: () => Promise<void>, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  let pause = FIRST_PAUSE_MS
  while (performance.now() < deadline) {
    await delay(pause, undefined, { ref: false })
    try {
      await step()
      return
    } catch (error) {
      // Whoever took the step first was told; here is nobody to tell.
      if (!(error instanceof StorageUnavailable)) return
    }
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
  }
}

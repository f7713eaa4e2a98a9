/**
 * Retries steps that must be taken in the end although the store is away now: later steps that undo or complete earlier
 * ones, which may be half done.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { StorageUnavailable } from './storage.ts'

const FIRST_PAUSE_MS = 20
/** Short, since others may meet the half-done steps until ours are taken. */
const LONGEST_PAUSE_MS = 250
/** Steps that wait at once. A further one is dropped: whatever it would have undone expires by itself. */
const MOST_WAITING = 1000

/**
 * Takes the step. If the store does not answer, this rejects, and the process retries the step in the background until
 * the store answers, for `seconds` at most.
 * @param step a step that may be taken any number of times, also after its answer was lost
 */
export type RetryUntilStored = (step: () => Promise<void>, seconds: number) => Promise<void>

interface Waiting {
  readonly step: () => Promise<void>
  /** In the time of `performance.now()`. */
  readonly deadline: number
}

/**
 * All steps share one queue, of which one is tried at a time: a store that is away gets a few attempts a second, however
 * many steps wait, and a store that is back gets the steps one after another.
 * @param pause waits the given number of milliseconds, without keeping the process alive
 */
export function createRetries(
  pause: (milliseconds: number) => Promise<unknown> = (milliseconds) =>
    delay(milliseconds, undefined, { ref: false }),
): RetryUntilStored {
  const queue: Waiting[] = []
  let isRunning = false

  async function run(): Promise<void> {
    let wait = FIRST_PAUSE_MS
    for (;;) {
      // Jitter, so that the processes of many machines do not come back at the same moment.
      await pause(wait * (0.5 + Math.random() / 2))
      let next = queue.shift()
      while (next && performance.now() >= next.deadline) next = queue.shift()
      if (!next) break
      if (await isTaken(next.step)) {
        wait = 0
        continue
      }
      // Behind the others: another part of the store may answer already.
      queue.push(next)
      wait = Math.min(Math.max(wait * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS)
    }
    isRunning = false
  }

  return async (step, seconds) => {
    try {
      await step()
    } catch (error) {
      if (error instanceof StorageUnavailable && queue.length < MOST_WAITING) {
        queue.push({ step, deadline: performance.now() + seconds * 1000 })
        if (!isRunning) void run()
        isRunning = true
      }
      throw error
    }
  }
}

/** False if the store did not answer. Any other error ends the step: its caller has got the first error already. */
async function isTaken(step: () => Promise<void>): Promise<boolean> {
  try {
    await step()
    return true
  } catch (error) {
    return !(error instanceof StorageUnavailable)
  }
}

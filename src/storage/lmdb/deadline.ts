/**
 * Ends the wait for writes that are held up. LMDB lets one process write at a time: a process that is stopped in a
 * write blocks all others until it goes on. A disk may hang, too.
 *
 * @module
 */
import { StorageUnavailable } from '../storage.ts'

/** Calls `expire` after a while; returns a function that cancels this. */
export type StartTimer = (expire: () => void) => () => void

/** A write takes milliseconds. A caller waits this long at most; for Redis the limit is similar. */
const DEADLINE_MS = 2000

/** A timer that fires later than this was itself held up. */
const LATE_MS = 500

/** Counts {@link DEADLINE_MS} in which this process runs: after a stop, it hears first of writes made meanwhile. */
export const startDeadline: StartTimer = (expire) => {
  let timer: NodeJS.Timeout | undefined
  const start = () => {
    const due = performance.now() + DEADLINE_MS
    const fire = () => (performance.now() - due > LATE_MS ? start() : expire())
    timer = setTimeout(fire, DEADLINE_MS)
  }
  start()
  return () => clearTimeout(timer)
}

export interface WriteDeadline {
  /**
   * Settles as the write does, if it is in time. While a write is overdue, others fail at once: they would only queue
   * behind it.
   * @param write gets a function that throws once nobody waits any more, and calls it before it changes anything
   * @throws StorageUnavailable for a write that is late: the write may still be made later
   */
  run<T>(write: (assertAwaited: () => void) => Promise<T>): Promise<T>
  /** Settles as `outcome` does, or rejects with StorageUnavailable if it is late. */
  wait<T>(outcome: Promise<T>): Promise<T>
}

export function createWriteDeadline(startTimer: StartTimer): WriteDeadline {
  let overdue = 0

  async function wait<T>(outcome: Promise<T>, onExpiry?: () => void): Promise<T> {
    let cancel = () => {}
    const expiry = new Promise<never>((_, reject) => {
      cancel = startTimer(() => {
        onExpiry?.()
        reject(heldUp())
      })
    })
    try {
      return await Promise.race([outcome, expiry])
    } finally {
      cancel()
    }
  }

  return {
    wait: (outcome) => wait(outcome),
    async run(write) {
      if (overdue > 0) throw heldUp()
      let isAwaited = true
      const outcome = write(() => {
        if (!isAwaited) throw heldUp()
      })
      return wait(outcome, () => {
        isAwaited = false
        overdue += 1
        const end = () => {
          overdue -= 1
        }
        outcome.then(end, end)
      })
    },
  }
}

const heldUp = () =>
  new StorageUnavailable(
    new Error('another process holds the write lock of the store, or the disk hangs'),
  )

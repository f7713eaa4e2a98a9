/**
 * Ends the wait for writes that are held up. LMDB lets one process write at a time, and one that is stopped while it
 * does keeps all others from it for as long as it likes; a disk may hang, too.
 *
 * @module
 */
import { StorageUnavailable } from '../storage.ts'

/** Calls `expire` after a while unless what it returns is called before. */
export type StartTimer = (expire: () => void) => () => void

/** A write takes milliseconds. As with Redis, nobody is kept waiting for much longer than for an answer. */
const DEADLINE_MS = 2000

/** A timer that fires later than this was itself held up. */
const LATE_MS = 500

/** {@link DEADLINE_MS} of time in which this process ran: one that was stopped hears first of what was done meanwhile. */
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
   * Settles as the write does, if that is in time. While one is overdue, others fail at once: they would only queue
   * behind it.
   * @param write is given a function that throws once nobody waits any more, to be called before anything is changed
   * @throws StorageUnavailable for a write that is late: it may be made all the same, once it can be
   */
  run<T>(write: (assertAwaited: () => void) => Promise<T>): Promise<T>
  /** Settles as this does, or rejects with StorageUnavailable if it is late. */
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
  new StorageUnavailable(new Error('another process holds the store, or its disk hangs'))

/**
 * Tells when a store stops answering, and when it answers again: two events, however many requests notice.
 *
 * @module
 */
import type { Events } from '../events.ts'
import { type Storage, StorageUnavailable } from './storage.ts'

/**
 * `contact` is left to its caller, who waits for a store that may be slower to start than we are.
 * @param deps `elapsed`: milliseconds on a clock that is never set back
 * @returns the same store; a call of it waits for nothing more than before
 */
export function watchContact(
  storage: Storage,
  { events, elapsed }: { readonly events: Events; readonly elapsed: () => number },
): Storage {
  let lostAt: number | undefined

  function failed(error: unknown): void {
    if (!(error instanceof StorageUnavailable) || lostAt !== undefined) return
    lostAt = elapsed()
    events.emit({ event: 'store-lost', cause: storeProblem(error) })
  }

  function answered(): void {
    if (lostAt === undefined) return
    const seconds = Math.round((elapsed() - lostAt) / 1000)
    lostAt = undefined
    events.emit({ event: 'store-back', seconds })
  }

  function noted<T>(answer: Promise<T>): Promise<T> {
    answer.then(answered, failed)
    return answer
  }

  const { count } = storage
  return {
    ...storage,
    get: <T>(key: string) => noted(storage.get<T>(key)),
    set: (...args) => noted(storage.set(...args)),
    create: (...args) => noted(storage.create(...args)),
    replace: (...args) => noted(storage.replace(...args)),
    take: <T>(key: string) => noted(storage.take<T>(key)),
    delete: (key) => noted(storage.delete(key)),
    ...(count && { count: (...args) => noted(count.apply(storage, args)) }),
  }
}

/** The driver's words for it, which hold no record and no password. */
export function storeProblem({ cause, message }: StorageUnavailable): string {
  return cause instanceof Error ? cause.message : message
}

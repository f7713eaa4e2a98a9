/**
 * Whether the process is ending. It then still answers, says so at `/readyz`, and keeps no connection.
 *
 * @module
 */

export interface Lifecycle {
  readonly isEnding: boolean
  end(): void
}

export function createLifecycle(): Lifecycle {
  let isEnding = false
  return {
    get isEnding() {
      return isEnding
    },
    end() {
      isEnding = true
    },
  }
}

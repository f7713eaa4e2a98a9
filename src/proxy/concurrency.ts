/**
 * Caps the requests that a person may have open at once in this process, so that a runaway client cannot take the
 * servers away from everybody else (features E5, decision K39). Streams stay open for hours and are counted apart.
 *
 * @module
 */

export interface Caps {
  /** Open requests of a person; 0 is no cap. */
  readonly requests: number
  /** Open streams of a person; 0 is no cap. */
  readonly streams: number
}

/** The place of an open request. */
export interface Seat {
  /** The answer turned out to be a stream: counts it as such if there is room. */
  becomesStream(): void
  leave(): void
}

export interface Concurrency {
  /** @returns undefined if the person has too many of this kind */
  take(subject: string, kind: keyof Caps): Seat | undefined
}

export function createConcurrency(caps: Caps): Concurrency {
  // Holds the people with an open request only.
  const open = new Map<string, Record<keyof Caps, number>>()
  const hasRoom = (kind: keyof Caps, count: number) => caps[kind] === 0 || count < caps[kind]
  return {
    take(subject, kind) {
      const counts = open.get(subject) ?? { requests: 0, streams: 0 }
      if (!hasRoom(kind, counts[kind])) return undefined
      let counted: keyof Caps | undefined = kind
      counts[kind] += 1
      open.set(subject, counts)
      return {
        becomesStream() {
          if (counted !== 'requests' || !hasRoom('streams', counts.streams)) return
          counts.requests -= 1
          counts.streams += 1
          counted = 'streams'
        },
        leave() {
          if (counted === undefined) return
          counts[counted] -= 1
          counted = undefined
          if (counts.requests + counts.streams === 0) open.delete(subject)
        },
      }
    },
  }
}

/**
 * The programs of the demo, which run and end together.
 *
 * @module
 */

export interface Part {
  readonly name: string
  readonly exited: Promise<unknown>
  stop(): Promise<void>
}

export interface Parts {
  /** Adds a part that has just started. If it ends by itself, all parts end. */
  add(part: Part): void
  /** Ends every part, the newest (the proxy) first, and then this process. */
  stop(exitCode: number): Promise<void>
}

/** Creates an empty list of parts. */
export function createParts(): Parts {
  const parts: Part[] = []
  let stopping = false

  const stop = async (exitCode: number) => {
    if (stopping) return
    stopping = true
    for (const part of parts.reverse()) await part.stop()
    process.exit(exitCode)
  }
  return {
    stop,
    add(part) {
      parts.push(part)
      void part.exited.then(() => {
        if (stopping) return
        process.stderr.write(`\n  ${part.name} ended by itself, so the demo ends too.\n`)
        void stop(1)
      })
    },
  }
}

/**
 * The programs that make up the demo, which run and end together.
 *
 * @module
 */

export interface Part {
  readonly name: string
  readonly exited: Promise<unknown>
  stop(): Promise<void>
}

export interface Parts {
  /** Takes in a part that has just started; when it ends by itself, so does everything. */
  add(part: Part): void
  /** Ends every part, the newest (what stands in front) first, and then this process. */
  stop(exitCode: number): Promise<void>
}

/** No parts yet. */
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

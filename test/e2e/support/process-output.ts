/**
 * Collects the texts that a started program writes.
 *
 * @module
 */
import type { Readable } from 'node:stream'

/** @returns everything that each stream has brought so far */
export function collectOutput(program: { readonly stdout: Readable; readonly stderr: Readable }): {
  readonly out: () => string
  readonly err: () => string
} {
  const collect = (stream: Readable) => {
    let text = ''
    stream.on('data', (data) => {
      text += String(data)
    })
    return () => text
  }
  return { out: collect(program.stdout), err: collect(program.stderr) }
}

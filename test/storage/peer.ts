/**
 * A second process on the same store: runs storage calls on request, or writes until it is killed.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Storage } from '../../src/storage/storage.ts'
import type { Place } from './place.ts'

/** A call by name, so that it can be sent to another process. */
export type Call =
  | readonly ['get' | 'peek' | 'take' | 'delete', key: string]
  | readonly ['set' | 'create', key: string, value: unknown, ttl: number | 'forever']
  | readonly ['replace', key: string, from: unknown, to: unknown, ttl: number | 'forever']

/** Runs one call on an open storage. */
export async function perform(storage: Storage, call: Call): Promise<unknown> {
  switch (call[0]) {
    case 'get':
    case 'take':
    case 'delete':
      return storage[call[0]](call[1])
    case 'peek':
      return storage.peek?.(call[1])
    case 'set':
    case 'create':
      return storage[call[0]](call[1], call[2], call[3])
    case 'replace':
      return storage.replace(call[1], call[2], call[3], call[4])
  }
}

export interface Peer {
  /** Runs all calls at once in the other process; resolves to their results. */
  run(calls: readonly Call[]): Promise<readonly unknown[]>
  /** Closes the store there and ends the process. */
  stop(): Promise<void>
}

/** Starts a process that has the store at `place` open, with the system clock. */
export async function startPeer(place: Place): Promise<Peer> {
  const child = startChild('peer-child.ts', place)
  await once(child, 'message')
  return {
    async run(calls) {
      const answered = once(child, 'message')
      child.send(calls)
      const [results] = await answered
      return results
    },
    async stop() {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

/** Kills a writer after some lines; returns its acknowledged writes, as `created <key>` and `taken <key>`. */
export async function killWriterAfter(place: Place, lines: number): Promise<readonly string[]> {
  const child = startChild('writer-child.ts', place)
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    if (output.split('\n').length > lines) child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'close')
  if (signal !== 'SIGKILL') throw new Error('the writer ended before it was killed')
  // The text after the last line break is an incomplete line.
  return output.split('\n').slice(0, -1)
}

function startChild(script: string, { adapter, location }: Place): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url))
  return spawn(process.execPath, ['--import', 'tsx', path, adapter, location], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
}

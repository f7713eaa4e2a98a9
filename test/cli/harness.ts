/**
 * Runs a subcommand with texts as its streams and files.
 *
 * @module
 */
import { PassThrough } from 'node:stream'
import type { Command } from '../../src/cli/io.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Setup {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** `gatewarden.yaml`. */
  readonly yaml?: string
  /** The standard input. On a terminal, each entry is typed after the program has asked for it. */
  readonly input?: string | readonly string[]
  readonly terminal?: boolean
  /** The names of the files in the working directory; absent: nobody can tell. */
  readonly listing?: readonly string[]
}

/** Collects the written text; calls `onWrite` with each piece. */
function sink(onWrite: (text: string) => void = () => undefined) {
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8')
    onWrite(chunk.toString('utf8'))
  })
  return { stream, text: () => text }
}

export async function run(command: Command, setup: Setup = {}): Promise<Ran> {
  const stdin = Object.assign(new PassThrough(), { isTTY: setup.terminal ?? false })
  const typed = typeof setup.input === 'string' ? [setup.input] : [...(setup.input ?? [])]
  const stdout = sink()
  const stderr = sink((text) => {
    if (setup.terminal && text.endsWith(': ')) stdin.write(typed.shift() ?? '\u0003')
  })
  if (!setup.terminal) stdin.end(typed.join(''))
  const code = await command(setup.args ?? [], {
    env: setup.env ?? {},
    cwd: '/srv',
    readFile: (path) => {
      if (path === '/srv/gatewarden.yaml' && setup.yaml !== undefined) return setup.yaml
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    },
    ...(setup.listing && { listFolder: () => setup.listing ?? [] }),
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
  })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

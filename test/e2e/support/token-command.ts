/**
 * Runs `gatewarden token` of the built program, as a person at a terminal does.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { collectOutput } from './process-output.ts'

const PROGRAM = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

export interface TokenCommand {
  /** The first group of the pattern, once the command has written it on standard error. */
  says(pattern: RegExp): Promise<string>
  /** Standard output, when the command has succeeded. */
  readonly output: Promise<string>
}

/** @param url the MCP server */
export function startTokenCommand(url: string): TokenCommand {
  const command = spawn(process.execPath, [PROGRAM, 'token', '--url', url])
  const { out, err } = collectOutput(command)
  const output = new Promise<string>((resolve, reject) => {
    command.once('close', (code) =>
      code === 0 ? resolve(out().trim()) : reject(new Error(`it exits with ${code}: ${err()}`)),
    )
  })
  // A test that fails before it waits for the output has an error of its own.
  output.catch(() => {})
  return {
    output,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(err())?.[1]
          if (found !== undefined) resolve(found)
        }
        command.stderr.on('data', look)
        look()
        output.then(() => reject(new Error('it ended')), reject)
      }),
  }
}

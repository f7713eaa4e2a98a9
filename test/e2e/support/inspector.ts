/**
 * Runs the command line of the MCP Inspector, which prints the address that a person has to open and listens for the
 * callback.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { z } from 'zod'
import { freePort } from '../../../scripts/lib/ports.ts'
import type { SignIn } from './client-memory.ts'
import { toolPath } from './tools.ts'

export interface InspectorRun {
  readonly exitCode: number | null
  /** Everything that it printed. */
  readonly output: string
  /** The number of times that it sent a person to the browser. */
  readonly signIns: number
}

const ADDRESS = /Please navigate to: (\S+)/

/**
 * Calls the sample server's tool `echo`.
 * @param options `home`: the folder where it keeps registration and tokens; `args`: further options of it
 */
export async function callByInspector(options: {
  readonly url: string
  readonly signIn: SignIn
  readonly home: string
  readonly message: string
  readonly args?: readonly string[]
}): Promise<InspectorRun> {
  const { url, signIn, home, message, args = [] } = options
  const folder = join(toolPath('clients'), 'inspector/node_modules')
  const program = join(folder, '@modelcontextprotocol/inspector/clients/launcher/build/index.js')
  const child = spawn(
    'node',
    [
      ...[program, '--cli', '--server-url', url, '--method', 'tools/call', '--tool-name', 'echo'],
      ...['--tool-arg', `message=${message}`, '--format', 'json'],
      ...['--callback-url', `http://127.0.0.1:${await freePort()}/oauth/callback`, ...args],
    ],
    {
      env: {
        // If our Node is too old for it, a newer one stands beside the conformance programme.
        PATH: [
          await browserThatDoesNothing(home),
          dirname(toolPath('conformance')),
          process.env.PATH,
        ].join(delimiter),
        HOME: home,
        BROWSER: 'true',
        MCP_AUTO_OPEN_ENABLED: 'true',
        MCP_INSPECTOR_SECRET_STORE: 'file',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let output = ''
  const opened: Promise<unknown>[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const address = ADDRESS.exec(output)?.[1]
      if (address === undefined || opened.length > 0 || !output.endsWith('\n')) return
      const signedIn = signIn(new URL(address))
      signedIn.catch(() => child.kill())
      opened.push(signedIn)
    })
  }
  const [code] = await once(child, 'close')
  await Promise.all(opened)
  return { exitCode: z.int().nullable().parse(code), output, signIns: opened.length }
}

/** A folder with an `xdg-open` that opens nothing. */
async function browserThatDoesNothing(home: string): Promise<string> {
  const folder = join(home, 'bin')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'xdg-open'), '#!/bin/sh\n')
  await chmod(join(folder, 'xdg-open'), 0o755)
  return folder
}

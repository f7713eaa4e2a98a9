/**
 * Runs mcp-remote as an MCP host does: as a child process with stdio on one side and our HTTP on the other, which opens
 * a browser when it must sign in.
 *
 * @module
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { freePort } from '../../../scripts/lib/ports.ts'
import { type McpSession, type SignIn, sessionOf } from './client-memory.ts'

const PROGRAM = fileURLToPath(
  new URL('../../../node_modules/mcp-remote/dist/proxy.js', import.meta.url),
)

export interface McpRemoteOptions {
  readonly url: string
  readonly signIn: SignIn
  /** The folder where it keeps registration and tokens; created if absent. */
  readonly home: string
  /** A PEM file that it trusts besides the usual ones. */
  readonly certificateAuthority?: string
  /** The URL of a module that it loads first. */
  readonly preload?: string
}

export interface McpRemoteSession extends McpSession {
  /** The number of times that it has opened the browser. */
  signIns(): number
}

/**
 * Starts mcp-remote and connects through it. Its browser is a script that writes down the address, which `signIn` then
 * opens.
 * @throws Error with the output of mcp-remote, if the connection or the sign-in fails
 */
export async function connectMcpRemote(options: McpRemoteOptions): Promise<McpRemoteSession> {
  mkdirSync(options.home, { recursive: true })
  const opened = join(options.home, 'opened-url')
  const browser = join(options.home, 'browser')
  rmSync(opened, { force: true })
  writeFileSync(
    browser,
    `#!/bin/sh\nprintf '%s' "$1" > '${opened}.new' && mv '${opened}.new' '${opened}'\n`,
    {
      mode: 0o755,
    },
  )
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [
      ...(options.preload ? ['--import', options.preload] : []),
      ...[PROGRAM, options.url, String(await freePort()), '--allow-http'],
    ],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: options.home,
      BROWSER: browser,
      MCP_REMOTE_CONFIG_DIR: join(options.home, 'auth'),
      ...(options.certificateAuthority && { NODE_EXTRA_CA_CERTS: options.certificateAuthority }),
    },
    stderr: 'pipe',
  })
  let said = ''
  transport.stderr?.on('data', (data) => {
    said += String(data)
  })
  let signIns = 0
  let done = false
  const watchBrowser = async () => {
    while (!done) {
      const url = readIfThere(opened)
      if (url) {
        rmSync(opened)
        signIns++
        await options.signIn(new URL(url))
      }
      await delay(50)
    }
  }
  const client = new Client({ name: 'end-to-end', version: '1.0.0' })
  try {
    // A failed sign-in ends the wait at once; a connection ends the watch.
    const connected = client.connect(transport).finally(() => {
      done = true
    })
    await Promise.all([connected, watchBrowser()])
  } catch (error) {
    done = true
    await client.close()
    throw new Error(`mcp-remote did not connect:\n${said}`, { cause: error })
  }
  return { ...sessionOf(client), signIns: () => signIns }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

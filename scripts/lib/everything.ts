/**
 * The sample MCP server behind Gatewarden, in the demo and in the end-to-end tests.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { freePort } from './ports.ts'
import { type RunningProcess, startProcess } from './processes.ts'

const SERVER = 'node_modules/@modelcontextprotocol/server-everything/dist/index.js'

export interface SampleServer {
  /** The `host:port` where it listens. */
  readonly address: string
  /** The URL of its MCP endpoint for a proxy in front. */
  readonly url: string
  readonly process: RunningProcess
}

/** Starts `@modelcontextprotocol/server-everything` with streamable HTTP on a free loopback port. */
export async function startSampleServer(): Promise<SampleServer> {
  const port = await freePort()
  const root = new URL('../../', import.meta.url)
  const preload = new URL('loopback-only.mjs', import.meta.url)
  const server = await startProcess({
    name: 'the sample MCP server',
    command: process.execPath,
    args: ['--import', preload.href, fileURLToPath(new URL(SERVER, root)), 'streamableHttp'],
    env: { PORT: String(port) },
    ready: (output) => output.includes('listening on port'),
  })
  const address = `127.0.0.1:${port}`
  return { address, url: `http://${address}/mcp`, process: server }
}

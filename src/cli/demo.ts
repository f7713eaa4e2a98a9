/**
 * `gatewarden demo`: a sample MCP server with Gatewarden in front, on one loopback port, until Ctrl-C.
 *
 * @module
 */
import { resolve } from 'node:path'
import { Writable } from 'node:stream'
import { stringify } from 'yaml'
import { loadConfig } from '../config/load.ts'
import { buildIdentity } from './build-identity.ts'
import { explain } from './configured.ts'
import { DEMO_USER, demoConfiguration, demoOrigin } from './demo/configuration.ts'
import { claimFolder } from './demo/lock.ts'
import { createDemoLog, inColour } from './demo/log.ts'
import { type DemoOptions, parseDemoOptions } from './demo/options.ts'
import { banner } from './demo/output.ts'
import { startSampleServer } from './demo/sample-server.ts'
import { type DemoState, loadState } from './demo/state.ts'
import type { Command, Io } from './io.ts'
import { serve } from './serve.ts'

export const demo: Command = async (args, io) => {
  let options: DemoOptions
  try {
    options = parseDemoOptions(args)
  } catch (error) {
    io.stderr.write(`${messageOf(error)} See gatewarden demo --help.\n`)
    return 2
  }
  const folder = resolve(io.cwd, options.folder)
  let state: DemoState
  try {
    claimFolder(folder)
    state = await loadState(folder, options.port)
  } catch (error) {
    io.stderr.write(`${messageOf(error)}\n`)
    return 1
  }
  const sample = await startSampleServer(buildIdentity().version)
  try {
    await serve(configOf({ state, folder, upstream: sample.url }), {
      logTo: lineWriter(createDemoLog(folder, options.json ? io.stderr : io.stdout)),
    })
  } catch (error) {
    await sample.close()
    explain(error, io)
    io.stderr.write(`Choose another port: gatewarden demo --port ${otherPort(state.port)}\n`)
    return 2
  }
  announce(state, options, io)
  return 0
}

/** The demo's own settings alone count: no file, no environment. */
function configOf(demo: { state: DemoState; folder: string; upstream: string }) {
  const { state, folder, upstream } = demo
  return loadConfig({
    argv: ['--host', 'localhost', '--port', String(state.port), '--log-level', 'debug'],
    env: {},
    cwd: folder,
    readFile: (path) => {
      if (path.endsWith('gatewarden.yaml')) return stringify(demoConfiguration(state, upstream))
      throw Object.assign(new Error('the demo reads no file'), { code: 'ENOENT' })
    },
  }).config
}

function announce(state: DemoState, { json, folder }: DemoOptions, io: Io): void {
  const issuer = demoOrigin(state)
  const mcpUrl = `${issuer}/mcp`
  const { password } = state
  if (json) {
    const ready = { mcp_url: mcpUrl, issuer, user: DEMO_USER, password, pid: process.pid }
    io.stdout.write(`${JSON.stringify(ready)}\n`)
    return
  }
  io.stdout.write(
    banner({
      seconds: performance.now() / 1000,
      mcpUrl,
      front: "through Gatewarden's own reverse proxy",
      user: DEMO_USER,
      password,
      folder,
      colour: inColour(io.stdout),
    }),
  )
}

/** Calls `take` with each whole line that is written. */
function lineWriter(take: (line: string) => void): Writable {
  let rest = ''
  return new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      const lines = `${rest}${String(chunk)}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) take(line)
      done()
    },
  })
}

const otherPort = (port: number) => (port < 65_000 ? Math.max(port + 1, 8081) : 8081)

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

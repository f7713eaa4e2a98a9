/**
 * `npm run demo`: a sample MCP server with Gatewarden in front, on one loopback port, until Ctrl-C.
 *
 * @module
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEMO_USER, demoConfiguration, demoOrigin } from '../../src/cli/demo/configuration.ts'
import { claimFolder } from '../../src/cli/demo/lock.ts'
import { createDemoLog, inColour } from '../../src/cli/demo/log.ts'
import { banner } from '../../src/cli/demo/output.ts'
import { type DemoState, loadState } from '../../src/cli/demo/state.ts'
import { startSampleServer } from '../lib/everything.ts'
import { type GatewardenOptions, startGatewarden } from '../lib/gatewarden.ts'
import { freePort, loopbackAddresses, portProblem } from '../lib/ports.ts'
import { startTraefik } from '../lib/traefik.ts'
import { chooseFront, type Front } from './front.ts'
import { type DemoOptions, HELP, parseOptions } from './options.ts'
import { createParts } from './parts.ts'

const DEFAULT_FOLDER = fileURLToPath(new URL('../../.demo', import.meta.url))

const parts = createParts()

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(`${HELP}\n`)
    return
  }
  const say = (line: string) => process.stderr.write(`  ${line}\n`)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void parts.stop(0))
  }
  const folder = options.folder === undefined ? DEFAULT_FOLDER : resolve(options.folder)
  claimFolder(folder)
  const state = await loadState(folder, options.port)
  await requirePort(state.port)
  const front = await chooseFront(options.proxy, folder, say)
  say(`Starting the sample MCP server and Gatewarden on port ${state.port} ...`)
  await startParts({ front, state, options, folder })
  announce({ front, state, options })
}

/** @throws Error with the command for another port, if this port cannot be used */
async function requirePort(port: number): Promise<void> {
  const code = await portProblem(port)
  if (!code) return
  const problem = code === 'EADDRINUSE' ? 'is used by another program' : `cannot be used (${code})`
  const other = port < 65_000 ? Math.max(port + 1, 8081) : 8081
  throw new Error(`Port ${port} ${problem}. Choose another: npm run demo -- --port ${other}`)
}

async function startParts(demo: {
  front: Front
  state: DemoState
  options: DemoOptions
  folder: string
}): Promise<void> {
  const { front, state, options, folder } = demo
  const sample = await startSampleServer()
  parts.add({ ...sample.process, name: 'The sample MCP server' })

  const builtin = front.kind === 'builtin'
  const settings: GatewardenOptions = {
    folder,
    file: demoConfiguration(state, builtin ? sample.url : undefined),
    settings: { LOG_LEVEL: 'debug' },
    listen: builtin
      ? { host: 'localhost', port: state.port }
      : { host: '127.0.0.1', port: await freePort() },
    onLine: createDemoLog(folder, options.json ? process.stderr : process.stdout),
  }
  const gatewarden = await startGatewarden(settings)
  parts.add({ ...gatewarden, name: 'Gatewarden' })

  if (front.kind === 'traefik') {
    const traefik = await startTraefik({
      binary: front.traefik.binary,
      folder: `${folder}/traefik`,
      port: state.port,
      addresses: loopbackAddresses(),
      gatewayHost: 'localhost',
      resourceHost: 'localhost',
      gatewarden: gatewarden.address,
      upstream: sample.address,
    })
    parts.add({ ...traefik, name: 'Traefik' })
  }
}

function announce(demo: { front: Front; state: DemoState; options: DemoOptions }): void {
  const { front, state, options } = demo
  const issuer = demoOrigin(state)
  const mcpUrl = `${issuer}/mcp`
  const { password } = state
  if (options.json) {
    const ready = { mcp_url: mcpUrl, issuer, user: DEMO_USER, password, pid: process.pid }
    process.stdout.write(`${JSON.stringify(ready)}\n`)
    return
  }
  process.stdout.write(
    banner({
      seconds: performance.now() / 1000,
      mcpUrl,
      front:
        front.kind === 'traefik'
          ? `behind Traefik ${front.traefik.version}`
          : "through Gatewarden's own reverse proxy",
      user: DEMO_USER,
      password,
      folder: options.folder ?? '.demo/',
      colour: inColour(process.stdout),
    }),
  )
}

try {
  await main()
} catch (error) {
  process.stderr.write(`\n  ${error instanceof Error ? error.message : String(error)}\n`)
  await parts.stop(1)
}

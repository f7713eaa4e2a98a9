/**
 * `gatewarden doctor`: checks a running deployment from outside, from its configuration (cases fh20, fm2, fm6).
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Config, issuerOf } from '../config/config.ts'
import type { Resource } from '../resources/resource-table.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import { explain, loadOrExplain } from './configured.ts'
import { type Ask, createAsk } from './doctor/ask.ts'
import { checkDelivery } from './doctor/delivered.ts'
import { type Echo, startEcho } from './doctor/echo.ts'
import { type Finding, unchecked } from './doctor/finding.ts'
import { checkGateway } from './doctor/gateway.ts'
import { hasStore, makeProbeKey } from './doctor/probe-key.ts'
import { checkPublicPaths } from './doctor/public-paths.ts'
import { jsonReport, textReport } from './doctor/report.ts'
import { checkServer } from './doctor/server.ts'
import { hasWildcard, serversOf } from './doctor/servers.ts'
import type { Command, Io } from './io.ts'
import { takeOwnFlags } from './own-flags.ts'
import { type OpenStore, withOpenStore } from './with-store.ts'

const USAGE = 'Usage: gatewarden doctor [--resource ID] [--at HOST] [--echo PORT] [--json]'
/** Seconds that an operator has to let a route lead to the echo. */
const ROUTE_SECONDS = 120
/** Signals that end the command; it takes its key back first. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const
/** The exit code of a command that a person stopped. */
const STOPPED = 130

export interface Surroundings {
  readonly fetch: typeof fetch
  /** Resolves after a second. */
  readonly second: () => Promise<void>
  /** Ends the process. */
  readonly exit: (code: number) => void
}

export const doctor: Command = createDoctor({
  fetch,
  second: async () => delay(1000),
  exit: process.exit,
})

export function createDoctor({ fetch, second, exit }: Surroundings): Command {
  return async (args, io) => {
    const isJson = args.includes('--json')
    const own = takeOwnFlags(
      args.filter((arg) => arg !== '--json'),
      ['--resource', '--at', '--echo'],
    )
    if ('withoutValue' in own) return wrong(io, `${own.withoutValue} has no value. ${USAGE}`)
    if (own.words.length > 0) return wrong(io, USAGE)
    const loaded = loadOrExplain(own.rest, io)
    if (!loaded) return 2
    const { config } = loaded
    const resources = serversOf(config, {
      ids: own.values('--resource'),
      host: own.values('--at').at(-1),
    })
    if (typeof resources === 'string') return wrong(io, resources)
    const port = own.values('--echo').at(-1)
    if (port !== undefined && !isPort(port)) return wrong(io, '--echo: is not a port')
    if (port !== undefined && resources.length > 1) {
      return wrong(io, '--echo: stands in for one server. Name it with --resource.')
    }
    let echo: Echo | undefined
    try {
      if (port !== undefined) echo = await startEcho(Number(port))
      const ask = createAsk({ fetch })
      const findings = await examine(config, resources, { ask, echo, io, second, exit })
      io.stdout.write(
        isJson
          ? jsonReport(findings)
          : textReport(findings, { issuer: issuerOf(config), servers: resources }),
      )
      return findings.some(({ state }) => state === 'wrong') ? 1 : 0
    } catch (error) {
      explain(error, io)
      return 2
    } finally {
      echo?.close()
    }
  }
}

interface Tools {
  readonly ask: Ask
  readonly echo: Echo | undefined
  readonly io: Io
  readonly second: () => Promise<void>
  readonly exit: (code: number) => void
}

async function examine(
  config: Config,
  resources: readonly Resource[],
  tools: Tools,
): Promise<Finding[]> {
  const findings = [...(await checkGateway(config, tools.ask))]
  if (findings.some(({ check, state }) => check === 'gateway' && state === 'wrong')) {
    return [...findings, ...resources.map(untilGateway)]
  }
  const identityHeaders = Object.keys(config.identityHeaders)
  const ready: Resource[] = []
  for (const resource of resources) {
    if (hasWildcard(resource)) {
      findings.push(wildcard(resource))
      continue
    }
    const asking = { ask: tools.ask, issuer: issuerOf(config), identityHeaders }
    const found = await checkServer(resource, asking)
    findings.push(...found)
    const { openPaths = [] } = config.resources.find(({ id }) => id === resource.id) ?? {}
    findings.push(...(await checkPublicPaths(resource, openPaths, asking)))
    if (found[0]?.state === 'ok') ready.push(resource)
  }
  return [...findings, ...(await examineInside(config, ready, tools))]
}

/** No host was named, and no host is known that the wildcard stands for. */
const wildcard = ({ id: server, url }: Resource): Finding =>
  unchecked(
    { check: 'challenge', server, promise: 'it asks for a login' },
    {
      seen: 'the url has a wildcard, so this run asked no host of it',
      fix: `Name one of its hosts: gatewarden doctor --resource ${server} --at ${new URL(url).host.replace('*', 'HOST')}`,
    },
  )

/** What a server answers says nothing while another gateway, or none, answers at `PUBLIC_URL`. */
const untilGateway = ({ id: server }: Resource): Finding =>
  unchecked(
    { check: 'challenge', server, promise: 'it asks for a login' },
    {
      seen: 'PUBLIC_URL does not answer as this gateway',
      fix: 'Run the command again after that is right.',
    },
  )

/** The checks that need a credential, which only the store of the gateway can give. */
async function examineInside(
  config: Config,
  resources: readonly Resource[],
  tools: Tools,
): Promise<readonly Finding[]> {
  if (resources.length === 0) return []
  const without = (seen: string) =>
    resources.map(({ id: server }) =>
      unchecked(
        { check: 'credential', server, promise: 'a credential opens it' },
        {
          seen,
          fix: 'Run the command where the gateway runs, with its configuration and its DATA_DIR or REDIS_URL.',
        },
      ),
    )
  if (!(await hasStore(config)))
    return without('the store of the gateway, or its secret, is not on this machine')
  try {
    return await withOpenStore(config, async (opened) => {
      const found: Finding[] = []
      for (const resource of resources)
        found.push(...(await examineDelivery(resource, opened, tools)))
      return found
    })
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error
    return without('the store does not answer')
  }
}

async function examineDelivery(
  resource: Resource,
  opened: OpenStore,
  { ask, echo, io, second, exit }: Tools,
): Promise<readonly Finding[]> {
  const probe = await makeProbeKey(resource, opened)
  let left = ROUTE_SECONDS
  // A round may wait for an answer as well, and the key does not live for ever.
  const until = opened.elapsed() + ROUTE_SECONDS * 1000
  const waitForRoute = async () => {
    if (left === ROUTE_SECONDS) {
      io.stderr.write(
        resource.upstream
          ? `Set the upstream of ${resource.id} to port ${echo?.port} of this machine now, and restart Gatewarden. Waiting for ${ROUTE_SECONDS} seconds at most.\n`
          : `Let the route of ${resource.id} lead to port ${echo?.port} of this machine now. Waiting for ${ROUTE_SECONDS} seconds at most.\n`,
      )
    }
    left -= 1
    await second()
    return left > 0 && opened.elapsed() < until
  }
  const stop = () => {
    void probe.revoke().finally(() => exit(STOPPED))
  }
  for (const signal of SIGNALS) process.once(signal, stop)
  try {
    const { identityHeaders, apiKeyHeader } = opened.config
    const tools = { ask, probe, identityHeaders, apiKeyHeader, echo, waitForRoute }
    return await checkDelivery(resource, tools)
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop)
    await probe.revoke()
  }
}

const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535

function wrong(io: Io, problem: string): number {
  io.stderr.write(`${problem}\n`)
  return 2
}

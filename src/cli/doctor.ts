/**
 * `gatewarden doctor`: checks a running deployment from outside, from its configuration (cases fh20, fm2, fm6).
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Config, issuerOf } from '../config/config.ts'
import { didYouMean } from '../config/values/suggest.ts'
import { createResourceTable, type Resource } from '../resources/resource-table.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import { explain, loadOrExplain } from './configured.ts'
import { type Ask, createAsk } from './doctor/ask.ts'
import { checkDelivery } from './doctor/delivered.ts'
import { type Echo, startEcho } from './doctor/echo.ts'
import { type Finding, unchecked } from './doctor/finding.ts'
import { checkGateway } from './doctor/gateway.ts'
import { hasStore, makeProbeKey } from './doctor/probe-key.ts'
import { jsonReport, textReport } from './doctor/report.ts'
import { checkServer } from './doctor/server.ts'
import type { Command, Io } from './io.ts'
import { takeOwnFlags } from './own-flags.ts'
import { type OpenStore, withOpenStore } from './with-store.ts'

const USAGE = 'Usage: gatewarden doctor [--resource ID] [--echo PORT] [--json] [--config FILE]'
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
}

export const doctor: Command = createDoctor({
  fetch,
  second: async () => delay(1000),
})

export function createDoctor({ fetch, second }: Surroundings): Command {
  return async (args, io) => {
    const isJson = args.includes('--json')
    const own = takeOwnFlags(
      args.filter((arg) => arg !== '--json'),
      ['--resource', '--echo'],
    )
    if ('withoutValue' in own) return wrong(io, `${own.withoutValue} has no value. ${USAGE}`)
    if (own.words.length > 0) return wrong(io, USAGE)
    const loaded = loadOrExplain(own.rest, io)
    if (!loaded) return 2
    const { config } = loaded
    const resources = resourcesOf(config, own.values('--resource'))
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
      const findings = await examine(config, resources, { ask, echo, io, second })
      io.stdout.write(isJson ? jsonReport(findings) : textReport(findings, config))
      return findings.some(({ state }) => state === 'wrong') ? 1 : 0
    } catch (error) {
      explain(error, io)
      return 2
    } finally {
      echo?.close()
    }
  }
}

/** @returns the servers to check, or a problem */
function resourcesOf(config: Config, ids: readonly string[]): readonly Resource[] | string {
  const table = createResourceTable(config.resources, {
    publicUrl: issuerOf(config),
    discoveryAt: config.discoveryAt,
  })
  const known = config.resources.map(({ id }) => id)
  const unknown = ids.find((id) => !known.includes(id))
  if (unknown !== undefined) {
    const remedy = `Write the id of a server: ${known.join(', ')}.`
    return `--resource: no server has the id "${unknown}". ${didYouMean(unknown, known, remedy)}`
  }
  return table.all.filter(({ id }) => ids.length === 0 || ids.includes(id))
}

interface Tools {
  readonly ask: Ask
  readonly echo: Echo | undefined
  readonly io: Io
  readonly second: () => Promise<void>
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
    const { id: server, url, path } = resource
    const check = { check: 'challenge', server, promise: 'it asks for a login' }
    if (url.includes('*')) {
      const seen = 'the url has a wildcard'
      const fix = 'Check a host of it by hand (docs/proxies has a script).'
      findings.push(unchecked(check, { seen, fix }))
      continue
    }
    if (resource.isOpen(path === '' ? '/' : path)) {
      const seen = 'the address is public in the configuration'
      findings.push(unchecked(check, { seen, fix: 'Nothing, if that is meant.' }))
      continue
    }
    const issuer = issuerOf(config)
    const found = await checkServer(resource, { ask: tools.ask, issuer, identityHeaders })
    findings.push(...found)
    if (found[0]?.state === 'ok') ready.push(resource)
  }
  return [...findings, ...(await examineInside(config, ready, tools))]
}

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
  { ask, echo, io, second }: Tools,
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
    void probe.revoke().finally(() => process.exit(STOPPED))
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

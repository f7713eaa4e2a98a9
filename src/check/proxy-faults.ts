/**
 * Notices mistakes in the configuration of a proxy that nothing else shows: the discovery document that never arrives
 * here, and a scheme that differs from the configured one. Each is told once for each server.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Events } from '../events.ts'
import type { Resource, ResourceTable } from '../resources/resource-table.ts'
import { normalizeHost } from '../url/host.ts'
import type { AnsweredCheck } from './check.ts'

/** Challenges after which a client would have asked for the document. */
const CHALLENGES = 3
/** With several replicas another one may have answered for the document. */
const CHALLENGES_OF_REPLICAS = 20
/** A client that sends several requests at once gets several challenges before it looks. */
const PATIENCE_MS = 10_000

export interface ProxyFaults {
  /** To be called for each check that allowed nothing. */
  look(answered: AnsweredCheck): void
  /** A client asked for a discovery document at this host, so its well-known paths arrive here. */
  sawDiscovery(host: string): void
}

/** @param deps `elapsed`: milliseconds on a clock that is never set back */
export function createProxyFaults(deps: {
  readonly events: Events
  readonly resources: ResourceTable
  /** True if several replicas answer. */
  readonly isOneOfMany: boolean
  readonly elapsed: () => number
}): ProxyFaults {
  const { events, resources, isOneOfMany, elapsed } = deps
  const enough = isOneOfMany ? CHALLENGES_OF_REPLICAS : CHALLENGES
  // The keys are ids of configured resources: a wildcard has one, however many hosts strangers name.
  const challenges = new Map<string, { count: number; readonly since: number }>()
  const discovered = new Set<string>()
  const toldOfDiscovery = new Set<string>()
  const toldOfScheme = new Set<string>()

  function countChallenge({ request, requestId, family }: AnsweredCheck, resource: Resource): void {
    const { id } = resource
    if (discovered.has(id) || toldOfDiscovery.has(id) || !isByClient(request)) return
    const seen = challenges.get(id) ?? { count: 0, since: elapsed() }
    seen.count += 1
    challenges.set(id, seen)
    if (seen.count < enough || elapsed() - seen.since < PATIENCE_MS) return
    toldOfDiscovery.add(id)
    const { host, pathname: path } = new URL(resource.documentAt + resource.path)
    const { count } = seen
    events.emit({
      event: 'discovery-route-missing',
      requestId,
      host,
      path,
      resource: id,
      count,
      family,
    })
  }

  function compareScheme({ request, requestId, family }: AnsweredCheck, resource: Resource): void {
    const forwardedScheme = schemeOf(request)
    if (forwardedScheme === undefined || toldOfScheme.has(resource.id)) return
    if (resource.origin.startsWith(`${forwardedScheme}:`)) return
    toldOfScheme.add(resource.id)
    const { id, audience: url } = resource
    events.emit({ event: 'scheme-mismatch', requestId, resource: id, url, forwardedScheme, family })
  }

  return {
    look(answered) {
      const { checked } = answered
      const resource = checked.match?.resource
      // At an upstream of ours there is no other proxy that could send the document elsewhere.
      if (!resource || resource.upstream !== undefined) return
      compareScheme(answered, resource)
      if (checked.kind === 'challenged' && !checked.match?.viaAlso)
        countChallenge(answered, resource)
    },
    sawDiscovery(host) {
      for (const { id } of resources.allAt(normalizeHost(host) ?? '')) {
        discovered.add(id)
        challenges.delete(id)
      }
    },
  }
}

/** True for a request that an MCP client makes: a monitor or a scanner would look for no document. */
function isByClient({ headers }: IncomingMessage): boolean {
  return (
    headers['mcp-protocol-version'] !== undefined ||
    headers['mcp-method'] !== undefined ||
    headers.accept?.includes('text/event-stream') === true
  )
}

/** The scheme that the proxy states, of a WebSocket too; undefined if it states none, or several. */
function schemeOf({ headers }: IncomingMessage): 'http' | 'https' | undefined {
  const stated = headers['x-forwarded-proto'] ?? urlScheme(headers['x-original-url'])
  switch (typeof stated === 'string' ? stated.toLowerCase() : undefined) {
    case 'http':
    case 'ws':
      return 'http'
    case 'https':
    case 'wss':
      return 'https'
    default:
      return undefined
  }
}

const urlScheme = (url: string | string[] | undefined) =>
  typeof url === 'string' ? /^[a-z]+(?=:)/i.exec(url)?.[0] : undefined

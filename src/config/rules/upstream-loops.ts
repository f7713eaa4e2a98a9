/**
 * Checks that pass-through and our questions about scopes lead to another server, and not back to Gatewarden.
 *
 * @module
 */
import type { ResourceConfig } from '../../resources/resource-table.ts'
import { isUnder, normalizeHost } from '../../url/host.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'
import { isLoopbackHost } from '../values/urls.ts'

interface Parts extends Chosen {
  readonly file: FileContents
  readonly resources: readonly ResourceConfig[]
  readonly report: Report
}

/** Reports each address of a server that people use, or that this process listens on. */
export function checkUpstreams({ settings, given, file, resources, report }: Parts): void {
  const publicHost = normalizeHost(settings.public_url?.host ?? '')
  for (const { id, url, upstream, scopesEndpoint } of resources) {
    const label = file.resources?.[id] ? `resources.${id}.upstream` : undefined
    refuseOurs(url, upstream, given.get('upstream_url')?.written ?? label ?? 'UPSTREAM_URL')
    refuseOurs(url, scopesEndpoint, `resources.${id}.scopes_endpoint`)
  }

  function refuseOurs(url: string, address: string | undefined, label: string): void {
    if (address === undefined) return
    const target = new URL(address)
    const host = normalizeHost(target.host)
    const isPublic = host !== undefined && (host === publicHost || isHostOf(url, host))
    if (!isPublic && !isOurPort(target, settings)) return
    report.problem(
      label,
      `${address} is the address of Gatewarden itself, which would ask itself for ever. Write the address of the MCP server behind it, such as http://localhost:3000/mcp.`,
    )
  }
}

/** True for the host that clients name, and for each host that a wildcard covers. */
function isHostOf(resource: string, host: string): boolean {
  const { host: own } = new URL(resource)
  return own.startsWith('*.') ? isUnder(host, own.slice(2)) : normalizeHost(own) === host
}

function isOurPort({ hostname, port, protocol }: URL, settings: Parts['settings']): boolean {
  const isHere = isLoopbackHost(hostname) || hostname === '0.0.0.0' || hostname === '[::]'
  return isHere && Number(port || (protocol === 'https:' ? 443 : 80)) === settings.port
}

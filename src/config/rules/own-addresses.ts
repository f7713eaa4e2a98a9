/**
 * Checks that no resource is at an address that Gatewarden itself answers: no request would ever reach it.
 *
 * @module
 */
import { CALLBACK_PATH, HEALTH_ALIAS, ownRoutes } from '../../paths.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import { isOwnHost } from '../../url/host.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'
import { DEFAULT_PROTECTED_PATH } from '../values/protected-path.ts'

/** Paths that we leave to a server behind us. */
const LEFT: ReadonlySet<string> = new Set([DEFAULT_PROTECTED_PATH, HEALTH_ALIAS])

interface Parts extends Chosen {
  readonly file: FileContents
  readonly resources: readonly ResourceConfig[]
  readonly report: Report
}

/** A resource that covers the whole host is none of these: it gets the requests that no page of ours answers. It is told. */
export function checkOwnAddresses({ settings, file, resources, report }: Parts): void {
  const { public_url: publicUrl, path_prefix: prefix = '', callback_path: callback } = settings
  if (!publicUrl) return
  for (const { id, url, also, upstream, rootDocuments } of resources) {
    const { host, pathname } = new URL(url)
    if (!isOwnHost(host, publicUrl.origin)) continue
    const taken = ownRoutes(prefix, callback).filter(
      (route) => upstream === undefined || !LEFT.has(route),
    )
    if (rootDocuments === false) {
      report.problem(
        `resources.${id}.root_documents`,
        'is false on the host of PUBLIC_URL, where clients find the login by these documents. Remove it, or give the server a host of its own.',
      )
    }
    if (pathname === '/' && prefix === '') {
      report.warning(
        file.resources ? `resources.${id}.url` : 'RESOURCES',
        `${url} is the host of PUBLIC_URL, so requests for these paths never reach the server: ${inOneLine(taken, callback)}. Set PATH_PREFIX, such as /auth-gw, to give the server all but that path.`,
      )
    }
    for (const [field, path] of [['url', pathname], ...also.map((other) => ['also', other])]) {
      const own = taken.find((route) => isAt(path ?? '', route))
      if (own === undefined) continue
      report.problem(
        file.resources ? `resources.${id}.${field}` : 'RESOURCES',
        `${publicUrl.origin}${path} is an address of Gatewarden itself, so no request reaches the server there. Give the server another path, such as ${publicUrl.origin}/mcp, or a host of its own${prefix === '' ? '; PATH_PREFIX moves the addresses of Gatewarden' : ''}.`,
      )
    }
  }
}

/** Without the usual callback where `CALLBACK_PATH` says another. */
function inOneLine(routes: readonly string[], callback = CALLBACK_PATH): string {
  const kept = routes.filter((route) => route !== CALLBACK_PATH || callback === CALLBACK_PATH)
  return [...new Set(kept)].map((route) => (route.endsWith('/') ? `${route}*` : route)).join(', ')
}

const isAt = (path: string, route: string) =>
  path === route.replace(/\/$/, '') || path.startsWith(route.endsWith('/') ? route : `${route}/`)

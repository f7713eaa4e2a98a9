/**
 * Checks that no resource is at an address that Gatewarden itself answers: no request would ever reach it.
 *
 * @module
 */
import { HEALTH_ALIAS, OWN_ROUTES, ownRoutes } from '../../paths.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import { isOwnHost } from '../../url/host.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'
import { DEFAULT_PROTECTED_PATH } from '../values/protected-path.ts'

/** The paths of ours, in one line. */
const TAKEN = OWN_ROUTES.map((route) => (route.endsWith('/') ? `${route}*` : route)).join(', ')

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
  for (const { id, url, also, upstream } of resources) {
    const { host, pathname } = new URL(url)
    if (!isOwnHost(host, publicUrl.origin)) continue
    if (pathname === '/' && prefix === '') {
      report.warning(
        file.resources ? `resources.${id}.url` : 'RESOURCES',
        `${url} is the host of PUBLIC_URL, so requests for these paths never reach the server: ${TAKEN}. Set PATH_PREFIX, such as /auth-gw, to give the server all but that path.`,
      )
    }
    for (const [field, path] of [['url', pathname], ...also.map((other) => ['also', other])]) {
      const own = ownRoutes(prefix, callback).find(
        (route) => isAt(path ?? '', route) && (upstream === undefined || !LEFT.has(route)),
      )
      if (own === undefined) continue
      report.problem(
        file.resources ? `resources.${id}.${field}` : 'RESOURCES',
        `${publicUrl.origin}${path} is an address of Gatewarden itself, so no request reaches the server there. Give the server another path, such as ${publicUrl.origin}/mcp, or a host of its own${prefix === '' ? '; PATH_PREFIX moves the addresses of Gatewarden' : ''}.`,
      )
    }
  }
}

const isAt = (path: string, route: string) =>
  path === route.replace(/\/$/, '') || path.startsWith(route.endsWith('/') ? route : `${route}/`)

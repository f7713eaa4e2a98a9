/**
 * Checks that `PROTECTED_PATH` has an effect: where a server behind Gatewarden has the path, requests there are the
 * server's, and proxies that ask there get no answer of the check (case sp3).
 *
 * @module
 */
import { covers, type ResourceConfig } from '../../resources/resource-table.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

/** Warns of a path that was set and has no effect. The default is no promise: it gets no line. */
export function warnOfTakenPath({
  settings,
  given,
  resources,
  report,
}: Chosen & { readonly resources: readonly ResourceConfig[]; readonly report: Report }): void {
  const entry = given.get('protected_path')
  if (!entry) return
  const path = settings.protected_path
  const server = resources.find(
    ({ upstream, url, also }) =>
      upstream !== undefined &&
      [new URL(url).pathname.replace(/\/$/, ''), ...also].some((prefix) => covers(prefix, path)),
  )
  if (!server) return
  report.warning(
    entry.written,
    `has no effect, because the server behind ${server.url} has ${path}. Let your proxy ask at /auth, or write a path that no server has.`,
  )
}

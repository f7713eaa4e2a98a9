/**
 * Tells of a resource with plain http beside a gateway with https: most often the scheme is a mistake, and clients then
 * compare an address that nobody uses.
 *
 * @module
 */
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'
import { isLoopbackHost } from '../values/urls.ts'

/** Warns of each such resource; `PROD_MODE` refuses it. */
export function warnOfPlainResources(
  parts: Chosen & {
    readonly file: FileContents
    readonly resources: readonly ResourceConfig[]
    readonly report: Report
  },
): void {
  const { settings, file, resources, report } = parts
  if (settings.prod_mode || !settings.public_url?.secure) return
  for (const { id, url } of resources) {
    const { protocol, hostname } = new URL(url)
    if (protocol === 'https:' || isLoopbackHost(hostname)) continue
    report.warning(
      file.resources ? `resources.${id}.url` : 'RESOURCES',
      `${url} is plain http, but PUBLIC_URL is https. Write ${url.replace(/^http:/, 'https:')} if clients use https there too.`,
    )
  }
}

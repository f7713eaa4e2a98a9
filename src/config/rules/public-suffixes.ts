/**
 * Checks that no wildcard covers the hosts of strangers, who share a public suffix such as `co.uk`.
 *
 * @module
 */
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { FileContents } from '../sources/file.ts'
import type { Report } from '../values/problem.ts'
import { isPublicSuffix } from '../values/public-suffix.ts'

/** Warns of such a wildcard; under `PROD_MODE` it is a problem. */
export function checkPublicSuffixes(parts: {
  resources: readonly ResourceConfig[]
  file: FileContents
  prodMode: boolean
  report: Report
}): void {
  const { resources, file, prodMode, report } = parts
  for (const { id, url } of resources) {
    const suffix = /^https?:\/\/\*\.([^/:]+)/.exec(url)?.[1]
    if (suffix === undefined || !isPublicSuffix(suffix)) continue
    const label = file.resources ? `resources.${id}.url` : 'RESOURCES'
    const what = `${url} covers the hosts of strangers, because ${suffix} is a public suffix`
    const fix = `Name your own domain, like https://*.example.${suffix}.`
    if (prodMode) report.problem(label, `${what}, which PROD_MODE refuses. ${fix}`)
    else report.warning(label, `${what}. ${fix}`)
  }
}

/**
 * Lists of the ids of servers.
 *
 * @module
 */
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Report } from './problem.ts'
import { didYouMean } from './suggest.ts'

/** A list of no server, or of one that does not exist, is a mistake in the configuration. */
export function checkResourceIds(
  ids: readonly string[],
  parts: {
    readonly label: string
    readonly resources: readonly Pick<ResourceConfig, 'id'>[]
    readonly report: Report
  },
): void {
  const { label, resources, report } = parts
  if (ids.length === 0) {
    report.problem(label, 'lists no server. Add one, or leave the setting out.')
  }
  const known = resources.map(({ id }) => id)
  for (const id of ids.filter((id) => !known.includes(id))) {
    const remedy = `Write the id of a server: ${known.join(', ')}.`
    report.problem(label, `no server has the id "${id}". ${didYouMean(id, known, remedy)}`)
  }
}

/**
 * The servers that one run of `gatewarden doctor` checks, and the address of each where a login has to be asked for.
 *
 * @module
 */
import { type Config, issuerOf } from '../../config/config.ts'
import { didYouMean } from '../../config/values/suggest.ts'
import { createResourceTable, type Resource } from '../../resources/resource-table.ts'

/** A path of no server, asked where the url itself is public. */
const CLOSED_PATH = '/gatewarden-doctor'

/**
 * Chooses the servers.
 * @param chosen `ids`: these alone, or all; `host`: a host that the wildcard of a url stands for
 * @returns each at its address, the one with a wildcard at the host; or a problem
 */
export function serversOf(
  config: Config,
  { ids, host }: { readonly ids: readonly string[]; readonly host: string | undefined },
): readonly Resource[] | string {
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
  const chosen = table.all.filter(({ id }) => ids.length === 0 || ids.includes(id))
  if (host === undefined) return chosen
  const at = (resource: Resource): Resource | undefined => {
    const { port, pathname } = new URL(resource.url)
    const found = table.match(
      host.includes(':') || port === '' ? host : `${host}:${port}`,
      pathname,
    )
    return typeof found === 'string' || found.resource.id !== resource.id
      ? undefined
      : found.resource
  }
  const wild = chosen.filter(hasWildcard)
  if (!wild.some(at)) {
    const urls = wild.map(({ url }) => url)
    return urls.length === 0
      ? '--at: no server that is checked has a wildcard in its url. Leave the flag out.'
      : `--at: "${host}" is no host of ${urls.join(', ')}. Write a host that the wildcard stands for.`
  }
  return chosen.map((resource) => (hasWildcard(resource) ? (at(resource) ?? resource) : resource))
}

/** True for a server whose address nobody can open, because it stands for many. */
export const hasWildcard = ({ url }: Resource): boolean => new URL(url).host.startsWith('*.')

/** True if everybody may open the url itself, as the configuration says. */
export const isPublic = ({ path, isOpen }: Resource): boolean => isOpen(path || '/')

/** The path where the server has to ask for a login: that of its url, unless it is public. */
export const closedPathOf = (resource: Resource): string =>
  isPublic(resource) ? resource.path + CLOSED_PATH : resource.path || '/'

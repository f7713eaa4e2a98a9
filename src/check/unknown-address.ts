/**
 * A request for an address at which no server is configured: the log says which configured address is nearest, because
 * most often the address is a second name of that server.
 *
 * @module
 */
import type { ResourceTable } from '../resources/resource-table.ts'
import { withoutQuery } from '../url/path.ts'

/** For the log. */
export interface UnknownAddress {
  /** Host and path as asked, without the query. */
  readonly asked: string
  /** The configured URL that resembles it most. */
  readonly nearest: string | undefined
}

/** The answer to a program. It names no server: a stranger may ask. */
export const UNKNOWN_ADDRESS = 'no protected server is configured at this address'

/** Characters of an address in a log line. */
const MAX_LOGGED = 300

/** @param request `target` as asked, with its query */
export function unknownAddress(
  request: { readonly host: string; readonly target: string },
  resources: Pick<ResourceTable, 'nearest'>,
): UnknownAddress {
  const { host, target } = request
  return {
    asked: (host + withoutQuery(target)).slice(0, MAX_LOGGED),
    nearest: resources.nearest(host, target),
  }
}

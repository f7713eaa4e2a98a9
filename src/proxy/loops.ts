/**
 * Notices a request of ours that came back: an `upstream` that is Gatewarden itself under another name. Each forwarded
 * request carries a mark of this deployment and its server in `CDN-Loop` (RFC 8586 section 2), which proxies between leave
 * alone.
 *
 * @module
 */
import type { Keyring } from '../crypto.ts'
import { valuesOf } from '../http/header-list.ts'
import type { MatchResult, Resource, ResourceTable } from '../resources/resource-table.ts'

export interface Loops {
  /** The header line for a request to the upstream of a server. */
  line(resource: Pick<Resource, 'id'>): readonly [name: string, value: string]
  /**
   * The id of the server whose upstream leads back here, or undefined. A request that went through one server of ours to
   * another is no loop.
   */
  find(rawHeaders: readonly string[], match: MatchResult): string | undefined
}

const NAME = 'CDN-Loop'
const MARK_BYTES = 12

/**
 * The mark is a MAC: deployments that stand behind each other have different ones. A client that sends back a mark, which
 * its server may have shown it, refuses nobody but itself.
 */
export function createLoops({
  issuer,
  keyring,
  resources,
}: {
  readonly issuer: string
  readonly keyring: Pick<Keyring, 'mac'>
  readonly resources: Pick<ResourceTable, 'all'>
}): Loops {
  const markOf = (id: string) =>
    `gatewarden-${keyring.mac('loop', JSON.stringify([issuer, id]), MARK_BYTES)}`
  const proxied = resources.all.filter(({ upstream }) => upstream !== undefined)
  const marks = new Map(proxied.map(({ id }) => [id, markOf(id)]))
  const ids = new Map([...marks].map(([id, mark]) => [mark, id]))

  return {
    line: ({ id }) => [NAME, marks.get(id) ?? markOf(id)],
    find(rawHeaders, match) {
      const passed = valuesOf(rawHeaders, NAME.toLowerCase())
        .flatMap((value) => value.split(','))
        .map((entry) => ids.get(entry.trim()))
        .filter((id) => id !== undefined)
      // At an address of no server of ours, nothing else could have been meant.
      if (typeof match === 'string') return passed.at(-1)
      return passed.find((id) => id === match.resource.id)
    },
  }
}

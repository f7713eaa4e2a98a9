/**
 * Tells the first use of a credential at a resource within an hour from the others, so that the log can say who uses
 * what without a line for each request.
 *
 * @module
 */
import type { Verified } from '../credentials/credential.ts'
import type { Resource } from '../resources/resource-table.ts'

/** Uses within this time are one. */
const USE_MS = 3_600_000

interface Use {
  readonly resource: Resource
  readonly notedAt: number
}

/** @param deps `now`: milliseconds on a clock that is never set back */
export function createUses({ now }: { readonly now: () => number }): {
  isNew(verified: Verified, resource: Resource): boolean
} {
  // Goes with the credential. A session of a whole domain is used at several resources.
  const latest = new WeakMap<Verified, Use>()
  const others = new WeakMap<Verified, Map<Resource, Use>>()

  function find(verified: Verified, resource: Resource): Use | undefined {
    const last = latest.get(verified)
    return last?.resource === resource ? last : others.get(verified)?.get(resource)
  }

  return {
    isNew(verified, resource) {
      const use = find(verified, resource)
      const time = now()
      if (use && time - use.notedAt < USE_MS) return false
      const noted = { resource, notedAt: time }
      const last = latest.get(verified)
      if (last && last.resource !== resource) {
        const rest = others.get(verified) ?? new Map<Resource, Use>()
        others.set(verified, rest.set(last.resource, last))
      }
      latest.set(verified, noted)
      return true
    },
  }
}

/**
 * The point in time before which every grant counts as revoked (decision K12, threat T40). The highest one that any start
 * was ever told by `REVOKE_BEFORE` is stored, and holds for every replica, whatever the configuration says later.
 *
 * | key | lives |
 * |---|---|
 * | `revoked-before` | for ever |
 *
 * @module
 */
import type { AuthenticStorage } from './authentic.ts'

const KEY = 'revoked-before'
/** Seconds that the clock of another replica may be ahead of ours. */
const TOLERANCE = 120

export interface RevokedBefore {
  /** Seconds since the epoch; 0 if nothing was ever revoked so. */
  current(): number
  /** True if this start raised it: grants have to be ended that no start has ended before. */
  readonly isRaised: boolean
  /** Learns of a start elsewhere. Rejects with StorageUnavailable. */
  refresh(): Promise<void>
}

/** The stored form. */
interface Stored {
  /** Seconds since the epoch. */
  readonly at: number
}

/**
 * Reads the stored time, and stores the configured one if it is later.
 * @param deps `configured`: `REVOKE_BEFORE`, in seconds since the epoch; `now` in milliseconds since the epoch
 * @throws StorageUnavailable, through the promise
 */
export async function loadRevokedBefore(deps: {
  readonly storage: AuthenticStorage
  readonly configured: number | undefined
  readonly now: () => number
}): Promise<RevokedBefore> {
  const { storage, configured = 0, now } = deps
  const seconds = () => Math.floor(now() / 1000)

  /** A time stored under a clock that ran ahead would end grants that nobody has made yet: a start corrects it. */
  const sane = ({ at }: Stored) => (at > seconds() + TOLERANCE ? seconds() : at)

  /** Stores the later of the two, also to move the record to the current secret. */
  async function settle(): Promise<{ at: number; isRaised: boolean }> {
    for (;;) {
      const stored = await storage.get<Stored>(KEY)
      const known = stored ? sane(stored) : 0
      const at = Math.max(known, configured)
      if (at === 0) return { at, isRaised: false }
      const isStored = stored
        ? await storage.replace(KEY, stored, { at }, 'forever')
        : await storage.create(KEY, { at }, 'forever')
      if (isStored) return { at, isRaised: at > known }
    }
  }

  let { at, isRaised } = await settle()
  return {
    current: () => at,
    isRaised,
    async refresh() {
      const stored = await storage.get<Stored>(KEY)
      // The next start corrects a time that lies ahead; to take it for the present each time would end every new grant.
      if (stored && stored.at <= seconds() + TOLERANCE) at = Math.max(at, stored.at)
    },
  }
}

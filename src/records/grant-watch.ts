/**
 * Whether what was read of a grant still holds: the question that a warm check asks instead of reading again. A store
 * on this machine is peeked into; of one behind a network, changes are heard (decision K27).
 *
 * @module
 */
import type { Identity } from '../providers/provider.ts'
import type { Liveness } from '../storage/liveness.ts'
import type { Persons } from './persons.ts'
import type { Grant, Records } from './records.ts'

/** A grant and its person as they were read, to be kept together. */
export interface Reading {
  readonly grant: Grant
  readonly person: Identity
  /** Begun before they were read. */
  readonly watch: GrantWatch
}

/**
 * - `holds`: as it was read;
 * - `gone`: the grant was revoked or has ended;
 * - `changed`: something is different, or may be; what was read is of no use any more;
 * - `unsure`: to be read again, and to be kept for {@link GrantWatch.inOutage} meanwhile.
 */
export type GrantStatus = 'holds' | 'gone' | 'changed' | 'unsure'

/** Everything that is stored of one grant, from when the watch began. */
export interface GrantWatch {
  /** What has become of what was read; no promise, no network. Throws StorageUnavailable. */
  status(reading: Reading): GrantStatus
  /** True if what was just read may be kept for checks to come. */
  isKeepable(): boolean
  /**
   * The same as {@link status} once a read has failed because the store does not answer: `holds` while nothing is known
   * to have changed and the silence is shorter than `MAX_STALE`.
   */
  inOutage(reading: Reading): GrantStatus
}

/** Begins to watch a grant: to be called before it is read, so that a change meanwhile is not missed. */
export type WatchGrant = (grantId: string) => GrantWatch

/** @param deps `liveness`: of a store that cannot peek */
export function createGrantWatch(deps: {
  records: Records
  persons: Persons
  liveness: Liveness | undefined
}): WatchGrant {
  const { records, persons, liveness } = deps
  return liveness ? heard(liveness, persons) : peeked(records, persons)
}

const UNWATCHED: GrantWatch = {
  status: () => 'changed',
  isKeepable: () => false,
  inOutage: () => 'unsure',
}

function peeked(
  { grants: { unchanged, identityUnchanged } }: Records,
  persons: Persons,
): WatchGrant {
  if (!unchanged || !identityUnchanged) return () => UNWATCHED
  return (grantId) => {
    const grantHolds = unchanged(grantId)
    const identityHolds = persons.areStored ? identityUnchanged(grantId) : () => true
    return {
      status({ grant, person }) {
        // A grant is never rewritten.
        if (!grantHolds()) return 'gone'
        return identityHolds() && persons.isCurrent(grant, person) ? 'holds' : 'changed'
      },
      isKeepable: () => true,
      // Where this machine's own store fails, nothing is known.
      inOutage: () => 'unsure',
    }
  }
}

function heard(liveness: Liveness, persons: Persons): WatchGrant {
  return (grantId) => {
    const watch = liveness.watch(grantId)
    const judge = ({ grant, person }: Reading, isTrusted: boolean): GrantStatus => {
      if (watch.changed || !persons.isCurrent(grant, person)) return 'changed'
      return isTrusted ? 'holds' : 'unsure'
    }
    return {
      status: (reading) => judge(reading, liveness.isFresh()),
      // What is read in a silence does not replace what was read before it: only that may bridge an outage.
      isKeepable: () => liveness.isFresh() && !watch.changed,
      inOutage: (reading) => judge(reading, liveness.isBridgeable()),
    }
  }
}

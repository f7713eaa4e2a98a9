/**
 * Tells whether a grant is still as it was read: a warm check asks this instead of reading again. A store on this
 * machine is peeked into; a store behind a network announces its changes (decision K27).
 *
 * @module
 */
import type { Identity } from '../providers/provider.ts'
import type { Liveness } from '../storage/liveness.ts'
import type { Persons } from './persons.ts'
import type { HeldGrant, Records } from './records.ts'

/** A grant and its person as they were read, to be kept together. */
export interface Reading {
  readonly grant: HeldGrant
  readonly person: Identity
  /** The watch that began before the two were read. */
  readonly watch: GrantWatch
}

/**
 * - `holds`: grant and person are as they were read;
 * - `gone`: the grant was revoked or has ended;
 * - `changed`: something has changed, or may have; the reading is of no more use;
 * - `unsure`: read again, and keep the reading for {@link GrantWatch.inOutage} meanwhile.
 */
export type GrantStatus = 'holds' | 'gone' | 'changed' | 'unsure'

/** A watch over all records of a grant, from the moment it began. */
export interface GrantWatch {
  /** The status of a reading now; no promise, no network. Throws StorageUnavailable. */
  status(reading: Reading): GrantStatus
  /** True if a reading made just now may be kept for later checks. */
  isKeepable(): boolean
  /**
   * The status after a read failed because the store does not answer: `holds` while no change is known and the silence
   * is shorter than `MAX_STALE`.
   */
  inOutage(reading: Reading): GrantStatus
}

/** Begins to watch a grant. Call this before reading it, so that no change in between is missed. */
export type WatchGrant = (grantId: string) => GrantWatch

/** The part of the records that a store on this machine peeks into. */
interface WatchedRecords {
  readonly grants: Pick<Records['grants'], 'unchanged' | 'identityUnchanged'>
}
type WatchedPersons = Pick<Persons, 'areStored' | 'isCurrent'>

/**
 * @param deps `liveness`: present if the store cannot peek; `onBridging`: called once each time earlier readings begin to
 *   bridge an outage
 */
export function createGrantWatch(deps: {
  records: WatchedRecords
  persons: WatchedPersons
  liveness: Liveness | undefined
  onBridging?: () => void
}): WatchGrant {
  const { records, persons, liveness, onBridging = () => {} } = deps
  return liveness
    ? watchByAnnouncements(liveness, persons, onBridging)
    : watchByPeeking(records, persons)
}

// Shared by all watches: thousands are kept.
const always = () => true
const unsure = (): GrantStatus => 'unsure'
const UNWATCHED: GrantWatch = {
  status: () => 'changed',
  isKeepable: () => false,
  inOutage: unsure,
}

function watchByPeeking(
  { grants: { unchanged, identityUnchanged } }: WatchedRecords,
  persons: WatchedPersons,
): WatchGrant {
  if (!unchanged || !identityUnchanged) return () => UNWATCHED
  return (grantId) => {
    const grantHolds = unchanged(grantId)
    const identityHolds = persons.areStored ? identityUnchanged(grantId) : always
    return {
      status({ grant, person }) {
        // A grant is never rewritten: if it differs, it is gone.
        if (!grantHolds()) return 'gone'
        return identityHolds() && persons.isCurrent(grant, person) ? 'holds' : 'changed'
      },
      isKeepable: always,
      // If the store on this machine fails, nothing is known.
      inOutage: unsure,
    }
  }
}

function watchByAnnouncements(
  liveness: Liveness,
  persons: WatchedPersons,
  onBridging: () => void,
): WatchGrant {
  let isBridging = false
  return (grantId) => {
    const watch = liveness.watch(grantId)
    const judge = ({ grant, person }: Reading, isTrusted: boolean): GrantStatus => {
      if (watch.changed || !persons.isCurrent(grant, person)) return 'changed'
      return isTrusted ? 'holds' : 'unsure'
    }
    return {
      status(reading) {
        const isFresh = liveness.isFresh()
        if (isFresh) isBridging = false
        return judge(reading, isFresh)
      },
      // A reading made in a silence does not replace an earlier one: only the earlier one may bridge an outage.
      isKeepable: () => liveness.isFresh() && !watch.changed,
      inOutage(reading) {
        const status = judge(reading, liveness.isBridgeable())
        if (status === 'holds' && !isBridging) {
          isBridging = true
          onBridging()
        }
        return status
      },
    }
  }
}

/** The same for records that stand alone, such as API keys: nobody behind them changes. */
export function createRecordWatch(deps: {
  unchanged: ((id: string) => () => boolean) | undefined
  liveness: Liveness | undefined
  onBridging?: () => void
}): WatchGrant {
  const { unchanged, ...rest } = deps
  return createGrantWatch({
    ...rest,
    records: { grants: { unchanged, identityUnchanged: unchanged } },
    persons: { areStored: false, isCurrent: always },
  })
}

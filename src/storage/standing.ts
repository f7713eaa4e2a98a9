/**
 * Whether what was read of a grant still holds: the question that a warm check asks instead of reading again. A store
 * on this machine is peeked into; of one behind a network, changes are heard (decision K27).
 *
 * @module
 */
import type { Identity } from '../providers/provider.ts'
import type { Liveness, Watch } from './liveness.ts'
import type { Persons } from './persons.ts'
import type { Grant, Records } from './records.ts'

/** A grant and its person as they were read, to be kept together. */
export interface Reading {
  readonly grant: Grant
  readonly person: Identity
  /** Taken by {@link Standings.begin} before they were read. */
  readonly watch: Watch
}

/**
 * - `holds`: as it was read;
 * - `gone`: the grant was revoked or has ended;
 * - `changed`: something is different, or may be; what was read is of no use any more;
 * - `unsure`: to be read again, and to be kept for {@link Standings.inOutage} meanwhile.
 */
export type Standing = 'holds' | 'gone' | 'changed' | 'unsure'

export interface Standings {
  /** To be called before the grant is read, so that a change meanwhile is not missed. */
  begin(grantId: string): Watch
  /** What has become of it; no promise, no network. Throws StorageUnavailable. */
  of(reading: Reading): Standing
  /** True if what was just read under `watch` may be kept for checks to come. */
  isKeepable(watch: Watch): boolean
  /**
   * The same once a read has failed because the store does not answer: `holds` while nothing is known to have changed
   * and the silence is shorter than `MAX_STALE`.
   */
  inOutage(reading: Reading): Standing
}

/** @param deps `liveness`: of a store that cannot peek */
export function createStandings(deps: {
  records: Records
  persons: Persons
  liveness: Liveness | undefined
}): Standings {
  const { records, persons, liveness } = deps
  return liveness ? heardStandings(liveness, persons) : peekedStandings(records, persons)
}

/** One for all grants: what changes is seen when it is peeked at. */
const UNCHANGED: Watch = { changed: false }

function peekedStandings({ grants: { isLive } }: Records, persons: Persons): Standings {
  return {
    begin: () => UNCHANGED,
    of({ grant, person }) {
      if (!isLive) return 'changed'
      if (!isLive(grant.id)) return 'gone'
      return persons.isCurrent(grant, person) ? 'holds' : 'changed'
    },
    isKeepable: () => isLive !== undefined,
    // Where this machine's own store fails, nothing is known.
    inOutage: () => 'unsure',
  }
}

function heardStandings(liveness: Liveness, persons: Persons): Standings {
  const judge = ({ grant, person, watch }: Reading, isTrusted: boolean): Standing => {
    if (watch.changed || !persons.isCurrent(grant, person)) return 'changed'
    return isTrusted ? 'holds' : 'unsure'
  }
  return {
    begin: (grantId) => liveness.watch(grantId),
    of: (reading) => judge(reading, liveness.isFresh()),
    // What is read in a silence does not replace what was read before it: only that may bridge an outage.
    isKeepable: (watch) => liveness.isFresh() && !watch.changed,
    inOutage: (reading) => judge(reading, liveness.isBridgeable()),
  }
}

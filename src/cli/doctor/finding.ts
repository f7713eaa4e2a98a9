/**
 * The result of one check of `gatewarden doctor`.
 *
 * @module
 */

export interface Finding {
  /** A stable word for programs. */
  readonly check: string
  /** The id of the server that it is about; absent: the gateway itself. */
  readonly server?: string
  /** `unchecked`: nothing is known, so `fix` says how to find out. */
  readonly state: 'ok' | 'wrong' | 'unchecked'
  /** The promise that was checked, as a sentence without its capital and its full stop. */
  readonly promise: string
  /** The observation. */
  readonly seen?: string
  /** The consequence. */
  readonly means?: string
  readonly fix?: string
}

/** The parts of a finding that is not `ok`. */
export type Fault = Required<Pick<Finding, 'seen' | 'means' | 'fix'>>

type Check = Pick<Finding, 'check' | 'promise'> & { readonly server?: string }

/** @param fault undefined if the promise holds */
export const judged = (check: Check, fault: Fault | undefined): Finding =>
  fault ? { ...check, state: 'wrong', ...fault } : { ...check, state: 'ok' }

export const unchecked = (check: Check, why: { readonly seen: string; readonly fix: string }) =>
  ({ ...check, state: 'unchecked', ...why }) satisfies Finding

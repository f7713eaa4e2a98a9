/**
 * Refresh tokens: a counter a grant, proven by a MAC, that tolerates a lost answer and still finds a thief
 * (decision K15). Pure.
 *
 * @module
 */
import type { Keyring } from '../../crypto.ts'
import type { RefreshState } from '../../records/records.ts'

const FORM = /^([A-Za-z0-9_-]{16,64})\.([1-9]\d{0,14})\.([A-Za-z0-9_-]{43})$/

/** The `n`th refresh token of a grant: `<grantId>.<n>.<MAC>`. */
export function formatRefreshToken(grantId: string, n: number, keyring: Keyring): string {
  return `${grantId}.${n}.${keyring.mac('refresh', `${grantId}|${n}`)}`
}

/** The grant and the number of a refresh token, or undefined if we never made it. */
export function parseRefreshToken(
  token: string,
  keyring: Keyring,
): { grantId: string; n: number } | undefined {
  const [, grantId = '', n = '', mac = ''] = FORM.exec(token) ?? []
  if (mac === '' || !keyring.verifyMac('refresh', `${grantId}|${n}`, mac)) return undefined
  return { grantId, n: Number(n) }
}

/** The state after the first refresh token was issued. */
export function firstRefreshState(now: number): RefreshState {
  return { current: 1, parent: 0, highest: 1, at: now }
}

export type RefreshDecision =
  /** Store `state`, then issue `state.current`. */
  | { readonly kind: 'rotate'; readonly state: RefreshState }
  /** Issue the current token once more; nothing changes. */
  | { readonly kind: 'repeat' }
  /** Another party has a token of this grant. */
  | { readonly kind: 'revoke' }

/**
 * Decides the answer to the `n`th token.
 * @param now seconds since the epoch
 * @param grace seconds during which the parent gets the same answer again
 */
export function decideRefresh(
  state: RefreshState,
  n: number,
  now: number,
  grace: number,
): RefreshDecision {
  const rotate = (parent: number, highest: number): RefreshDecision => ({
    kind: 'rotate',
    state: { current: highest, parent, highest, at: now },
  })
  if (n === state.current) return rotate(n, state.highest + 1)
  if (n === state.parent) {
    // A time ahead of ours by more than the grace is of a clock that was wrong, and counts as over.
    // After the grace: the current token was never presented, so its answer was lost. It dies here.
    return Math.abs(now - state.at) <= grace ? { kind: 'repeat' } : rotate(n, state.highest + 1)
  }
  // Only a store that lost its last writes knows less than the token: nobody else can make that MAC.
  if (n > state.highest) return rotate(n, n + 1)
  return { kind: 'revoke' }
}

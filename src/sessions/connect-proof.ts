/**
 * Proves that our own login, and not a page of the application, led a tab to `/auth/connect`. On a host that we share
 * with a protected server both are of the same origin (threat T35).
 *
 * @module
 */
import { constantTimeEqual, type Keyring } from '../crypto.ts'
import { CONNECT_PATH } from '../paths.ts'

const PARAMETER = 'opened'

export interface ConnectProofs {
  /** The address with a proof for this session, if it is that of `/auth/connect`; else unchanged. */
  add(address: string, token: string): string
  /**
   * True if {@link add} made this query for this session.
   * @param query without its question mark
   */
  holds(query: string, token: string): boolean
}

/** A proof is bound to the session, which no page can read, so a proof from another browser is worth nothing. */
export function createConnectProofs(keyring: Keyring): ConnectProofs {
  const proofOf = (query: string, token: string) =>
    keyring.mac('cookie', `${CONNECT_PATH}|${query}|${token}`)
  return {
    add(address, token) {
      const { pathname, search } = new URL(address)
      if (pathname !== CONNECT_PATH || search === '') return address
      return `${address}&${PARAMETER}=${proofOf(search.slice(1), token)}`
    },
    holds(query, token) {
      const [before = '', proof = '', ...further] = query.split(`&${PARAMETER}=`)
      return constantTimeEqual(proof, proofOf(before, token)) && further.length === 0
    },
  }
}

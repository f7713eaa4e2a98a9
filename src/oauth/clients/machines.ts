/**
 * Programs that act for themselves (RFC 6749 section 4.4): the clients of the configuration that may use
 * `client_credentials`, as callers. A program is no person, so it has no e-mail and no groups, and no list of people
 * lets it in: the configuration says which servers it may use.
 *
 * @module
 */
import type { Keyring } from '../../crypto.ts'
import type { Account, Identity } from '../../providers/provider.ts'
import { MACHINE_ISSUER } from '../subject.ts'
import type { ClientConfig } from './client.ts'

export interface Machines {
  /** The program behind an account; undefined if the configuration has changed anything about it since. */
  current(account: Account): Identity | undefined
  /** The account of a client; undefined for a client that may not act for itself. */
  accountOf(clientId: string): (Account & { readonly credential: string }) | undefined
}

/** @param configs the clients of the configuration */
export function createMachines(
  configs: readonly ClientConfig[],
  keyring: Pick<Keyring, 'macs'>,
): Machines {
  const machines = new Map(
    configs
      .filter(({ grantTypes }) => grantTypes.includes('client_credentials'))
      .map((config) => {
        const identity: Identity = {
          issuer: MACHINE_ISSUER,
          subject: config.id,
          name: config.name,
          groups: [],
        }
        return [config.id, { identity, marks: keyring.macs('machine', termsOf(config)) }]
      }),
  )
  return {
    current({ issuer, subject, credential }) {
      const known = issuer === MACHINE_ISSUER ? machines.get(subject) : undefined
      return known?.marks.some((mark) => mark === credential) ? known.identity : undefined
    },
    accountOf(clientId) {
      const known = machines.get(clientId)
      return known && { issuer: MACHINE_ISSUER, subject: clientId, credential: known.marks[0] }
    },
  }
}

/** Another secret, other keys, fewer scopes or other servers end the tokens from before (as a new password does, threat T46). */
const termsOf = ({ id, secret, keys, scopes, resources }: ClientConfig) =>
  JSON.stringify([id, secret, scopes, resources, ...(keys ? [keys] : [])])

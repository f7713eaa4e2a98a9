/**
 * The person behind a grant as known at this moment (decision K12).
 *
 * @module
 */
import type { Identity, Provider } from '../providers/provider.ts'
import type { Grant } from './records.ts'

export interface Persons {
  /** Undefined if they are gone, or came from a provider that is no longer configured. */
  find(grant: Grant): Identity | undefined
}

/** @param provider the configured one */
export function createPersons(provider: Provider): Persons {
  return {
    find: (grant) =>
      grant.provider === provider.id ? provider.current?.(grant.issuer, grant.subject) : undefined,
  }
}

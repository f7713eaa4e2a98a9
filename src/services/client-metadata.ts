/**
 * Reads the documents and keys of clients, which are fetched from where somebody else says.
 *
 * @module
 */
import type { Config } from '../config/config.ts'
import type { Events } from '../events.ts'
import { ASSERTION_ALGORITHMS } from '../oauth/client-assertion.ts'
import { type AssertionKeys, createAssertionKeys } from '../oauth/clients/assertion-keys.ts'
import { createFetchBudget } from '../oauth/clients/fetch-budget.ts'
import { createMetadataClients, type MetadataClients } from '../oauth/clients/metadata-clients.ts'
import { SELF_DECLARED_GRANTS } from '../oauth/clients/metadata-document.ts'
import type { RegistrationPolicy } from '../oauth/clients/registration-policy.ts'
import type { FetchFailure } from '../oauth/clients/remote-documents.ts'
import { DEVICE_CODE } from '../oauth/grants/names.ts'
import type { RedirectRules } from '../oauth/redirect-uri.ts'
import { publicAddresses } from '../outbound/address-rules.ts'
import { createGuardedFetch } from '../outbound/guarded-fetch.ts'
import { createDnsResolver, resolveBySystem } from '../outbound/resolvers.ts'
import type { Records } from '../records/records.ts'

/** Documents and keys of clients, which are fetched from where somebody else says. */
export function createClientMetadata(deps: {
  readonly config: Config
  readonly records: Records
  readonly redirectRules: RedirectRules
  readonly registrationPolicy: RegistrationPolicy
  readonly events: Events
  readonly now: () => number
  readonly elapsed: () => number
}): { readonly clients: MetadataClients | undefined; readonly assertionKeys: AssertionKeys } {
  const { config, records, redirectRules, registrationPolicy, events, now, elapsed } = deps
  const { hosts, pinned, loopback } = config.clientMetadata
  const budget = createFetchBudget({ elapsed })
  const fetch = createGuardedFetch({
    resolve: createDnsResolver(),
    mayConnect: publicAddresses({ loopback }),
  })
  const onFailure = ({ url, reason, from }: FetchFailure) =>
    events.emit({
      event: 'client-document-unread',
      address: from,
      reason,
      // The query is left out: strangers write it.
      url: url.origin + url.pathname,
    })
  const isOff = hosts.allowed.length === 0 && Object.keys(pinned).length === 0 && !loopback
  return {
    clients: isOff
      ? undefined
      : createMetadataClients({
          fetch,
          budget,
          hosts,
          loopback,
          pinned: new Map(Object.entries(pinned)),
          rules: {
            redirectRules,
            // Where no client may register, the operator chose the hosts themselves.
            allowsRedirect: registrationPolicy.isOpen ? registrationPolicy.allows : () => true,
            grantTypes: documentedGrants(registrationPolicy),
          },
          copies: records.clientDocuments,
          grantLifetime: config.lifetimes.grant,
          onFailure,
          onUnstored: (err) =>
            events.emit({
              event: 'task-failed',
              task: 'storing the metadata document of a client',
              err,
            }),
          now,
          elapsed,
        }),
    assertionKeys: createAssertionKeys({
      algorithms: ASSERTION_ALGORITHMS,
      fetch,
      fetchConfigured: createGuardedFetch({
        resolve: resolveBySystem,
        mayConnect: () => true,
      }),
      budget,
      onFailure,
      now,
      elapsed,
    }),
  }
}

/** Where a list of destinations limits clients, the device grant would be a way around it. */
export const documentedGrants = ({ isOpen, allowsDevices }: RegistrationPolicy) =>
  SELF_DECLARED_GRANTS.filter((type) => type !== DEVICE_CODE || !isOpen || allowsDevices)

/**
 * The provider's access token for a person, where the server behind gets it (case sb17, decision 0072): at rest it is
 * sealed and bound to its grant, in the record with which a refresh asks the provider. It does not own the request to the
 * server: `src/proxy/` does.
 *
 * @module
 */
import { z } from 'zod'
import type { Keyring } from '../crypto.ts'
import type { PersonToken } from '../providers/provider.ts'
import { FAILURE_SECONDS } from '../records/provider-lock.ts'
import type { Grant, Records } from '../records/records.ts'
import type { UpstreamRecord } from '../records/upstream.ts'
import type { ResourceTable } from '../resources/resource-table.ts'
import { ageOf, FRESH_SECONDS } from './provider-answers.ts'

/** Characters. No server takes a longer one in a header, which is still kept far enough to tell that. */
export const MAX_PERSON_TOKEN = 8000

const Sealed = z.tuple([z.string(), z.string(), z.number().nullable()])

export interface PersonTokensDeps {
  readonly records: Pick<Records, 'upstream'>
  readonly resources: Pick<ResourceTable, 'byAudience'>
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export interface PersonTokens {
  /** The part of a grant's record that keeps the token; empty where no server gets it. */
  kept(grant: Grant, token: PersonToken | undefined): Pick<UpstreamRecord, 'token'>
  /** The token for the server of a grant. Rejects with StorageUnavailable. */
  find(grant: Grant): Promise<PersonToken | undefined>
  /** True if the person never learnt that the server of this grant gets the token: they signed in before it did. */
  isUntold(grant: Grant, record: UpstreamRecord | undefined): boolean
  /** True if a refresh has to bring another token than the one in the record. */
  isDue(grant: Grant, record: UpstreamRecord): boolean
}

export function createPersonTokens(deps: PersonTokensDeps): PersonTokens {
  const { records, resources, keyring, now } = deps
  const isSent = ({ resource }: Grant) =>
    resources.byAudience(resource)?.passThrough.personTokenHeader !== undefined

  function open({ id }: Grant, record: UpstreamRecord | undefined): PersonToken | undefined {
    if (record?.token === undefined) return undefined
    const opened = Sealed.safeParse(keyring.open('person-token', record.token))
    if (!opened.success) return undefined
    const [grantId, value, until] = opened.data
    return grantId === id ? { value, ...(until !== null && { until }) } : undefined
  }

  return {
    kept(grant, token) {
      if (!token || !isSent(grant)) return {}
      const value = token.value.slice(0, MAX_PERSON_TOKEN + 1)
      return { token: keyring.seal('person-token', [grant.id, value, token.until ?? null]) }
    },
    find: async (grant) =>
      isSent(grant) ? open(grant, await records.upstream.find(grant.id)) : undefined,
    isUntold: (grant, record) => isSent(grant) && !open(grant, record),
    isDue(grant, record) {
      // The provider would give no better one than a moment ago.
      if (!isSent(grant) || ageOf(record.checkedAt, now()) < FAILURE_SECONDS) return false
      const token = open(grant, record)
      return !token || (token.until ?? Number.POSITIVE_INFINITY) - now() / 1000 < FRESH_SECONDS
    },
  }
}

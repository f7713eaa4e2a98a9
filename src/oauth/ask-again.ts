/**
 * Asks the provider about the person behind a grant, and stores each answer before the next step (decision K30). The
 * caller holds the lock of the grant.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { Keyring } from '../crypto.ts'
import { OAuthError } from '../errors.ts'
import type { Report } from '../events.ts'
import {
  type AnswerAboutPerson,
  type Identity,
  PersonUnchecked,
  ProviderFailure,
  type ProviderFailureKind,
  type Rechecks,
} from '../providers/provider.ts'
import { FAILURE_SECONDS } from '../records/provider-lock.ts'
import type { Grant, Records } from '../records/records.ts'
import type { UpstreamRecord } from '../records/upstream.ts'
import type { ResourceTable } from '../resources/resource-table.ts'
import { grantFacts } from './grant-facts.ts'
import { openHeld, sealHeld } from './held-token.ts'
import type { PersonTokens } from './person-token.ts'

export interface AskAgainDeps {
  readonly rechecks: Rechecks
  readonly records: Records
  readonly resources: Pick<ResourceTable, 'byAudience'>
  readonly keyring: Keyring
  readonly personTokens: PersonTokens
  readonly providerId: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

interface Question {
  readonly found: UpstreamRecord | undefined
  readonly secondsLeft: () => number
}

/** Failures that are about the person: the grant ends, and the next sign-in tells the person why. */
const ENDS: ReadonlySet<ProviderFailureKind> = new Set([
  'gone',
  'other-organisation',
  'too-many-groups',
])

export const signInAgain = (): OAuthError =>
  new OAuthError('invalid_grant', 'the person has to sign in again')

const unchecked = (reason: string, cause?: unknown) =>
  new PersonUnchecked(reason, FAILURE_SECONDS, { cause })

/**
 * @param question `found`: the grant's record, as it is stored; `secondsLeft`: of the lock of the caller
 * @throws OAuthError `invalid_grant` if the person may no longer come in: the grant has ended; PersonUnchecked if nobody
 *   can tell: the grant is as it was
 */
export function createAskAgain(
  deps: AskAgainDeps,
): (grant: Grant, question: Question, report: Report) => Promise<void> {
  const { rechecks, records, resources, keyring, personTokens } = deps
  const { upstream, grants } = records
  const now = () => Math.floor(deps.now() / 1000)
  const resourceOf = (grant: Grant) => resources.byAudience(grant.resource)

  async function end(grant: Grant, reason: string, report: Report): Promise<never> {
    await grants.revokeForSure(grant.id)
    // Else the browser would be known, and another page would open without a question to the provider.
    if (grant.signIn !== undefined) await records.signIns.end(grant.signIn)
    const resource = resourceOf(grant)?.id
    report({ event: 'grant-revoked', ...grantFacts(grant), by: 'provider', reason, resource })
    throw signInAgain()
  }

  async function renewIdentity(grant: Grant, person: Identity): Promise<void> {
    const { issuer: _, subject: __, ...identity } = person
    const before = await grants.findIdentity(grant.id)
    if (before && isDeepStrictEqual(before, identity)) return
    const ttl = Math.max(1, grant.expiresAt - now())
    if (before && (await grants.replaceIdentity(grant.id, before, identity, ttl))) return
    throw unchecked('the identity changed meanwhile')
  }

  /**
   * Replaces the record, also after the store was away: the provider may have made the token before useless. The lock
   * keeps others from asking with that token, so retries end with it.
   */
  async function put(
    grant: Grant,
    { found: before, secondsLeft }: Question,
    next: UpstreamRecord,
  ): Promise<UpstreamRecord> {
    const ttl = Math.max(1, grant.expiresAt - now())
    await records.retryUntilStored(async () => {
      if (await upstream.put(grant.id, before, next, ttl)) return
      if (isDeepStrictEqual(await upstream.find(grant.id), next)) return
      throw unchecked('the record of the grant changed meanwhile')
    }, secondsLeft())
    return next
  }

  return async (grant, { found, secondsLeft }, report) => {
    let record = found
    const given = openHeld(found, grant.id, keyring)
    if (rechecks.needsHeld && given === undefined) {
      await end(grant, 'there is no token to ask the provider about the person with', report)
    }
    if (personTokens.isUntold(grant, found)) {
      const reason = 'the person signed in before the server got their token of the provider'
      await end(grant, reason, report)
    }
    let answer: AnswerAboutPerson
    try {
      answer = await rechecks.ask(grant, {
        held: given,
        async keep(held) {
          const sealed = sealHeld(held, grant.id, keyring)
          const before = { found: record, secondsLeft }
          record = await put(grant, before, { checkedAt: 0, ...record, held: sealed })
        },
      })
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error
      // A request that was slower than its lock may have used the token up: then the no is not about the person.
      const isLatest = isDeepStrictEqual(await upstream.find(grant.id), record)
      if (ENDS.has(error.kind) && isLatest) await end(grant, error.message, report)
      const resource = resourceOf(grant)?.id
      const { providerId: provider } = deps
      const { message: reason } = error
      report({ event: 'provider-failed', ...grantFacts(grant), reason, provider, resource })
      throw unchecked('the provider could not be asked about the person', error)
    }
    const { person } = answer
    if (person) await renewIdentity(grant, person)
    const { token: _, ...rest } = record ?? {}
    const kept = personTokens.kept(grant, answer.token)
    await put(grant, { found: record, secondsLeft }, { ...rest, ...kept, checkedAt: now() })
    if (person && resourceOf(grant)?.policy(person) === false) {
      await end(grant, 'the person is on no list of the server any more', report)
    }
  }
}

/**
 * Hands the provider's own tokens to clients. Each token passes the decision that every request with it passes, first:
 * audience, client, policy and scopes. There is no way around that.
 *
 * @module
 */
import { OAuthError, PageError } from '../../errors.ts'
import type { Events } from '../../events.ts'
import { type Identity, ProviderFailure, type ProviderTokenSet } from '../../providers/provider.ts'
import { FAILURE_SECONDS } from '../../records/provider-lock.ts'
import type { Grant, Records } from '../../records/records.ts'
import type { Resource, ResourceTable } from '../../resources/resource-table.ts'
import { grantFacts } from '../grant-facts.ts'
import { ageOf, GOOD_SECONDS } from '../provider-answers.ts'
import { subjectOf } from '../subject.ts'
import type { Kept, KeptTokens } from './kept-tokens.ts'
import type { Renew } from './renewal.ts'

export type Judgement =
  | {
      readonly kind: 'good'
      readonly sub: string
      readonly scopes: readonly string[]
      /** Milliseconds since the epoch. */
      readonly expiresAt: number
    }
  | { readonly kind: 'refused'; readonly reason: string }

/** Says whether a token of the provider would open the resource now. Rejects with ProviderFailure if nobody can tell. */
export type JudgeToken = (token: string, resource: Resource) => Promise<Judgement>

/** A token for the client. */
export interface Relayed {
  readonly accessToken: string
  readonly scopes: readonly string[]
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** False if the provider gave no refresh token. */
  readonly isRenewable: boolean
}

/** All of them reject with StorageUnavailable and ProviderFailure. */
export interface Relay {
  /**
   * Checks the tokens of a person who signs in for a client; a person whom the policy refuses is left to the policy.
   * @throws ProviderFailure `failed`, with the reason, for a token that would open nothing. The code is spent, whatever fails
   */
  admit(tokens: ProviderTokenSet | undefined, person: Identity, resource: Resource): Promise<void>
  /**
   * Keeps the tokens of a new grant.
   * @throws PageError if there are none
   */
  begin(grant: Grant, tokens: ProviderTokenSet | undefined): Promise<void>
  /**
   * Gets new tokens from the provider, unless it gave some within the last minute that are still good: a client may refresh
   * as often as it likes. Call it before a refresh token rotates.
   * @throws OAuthError `invalid_grant` if the provider ended them, which ends the grant, or if they would open nothing
   */
  renew(grant: Grant): Promise<void>
  /** The token for the client, renewed if it is about to end. @throws OAuthError as {@link renew} */
  handOut(grant: Grant): Promise<Relayed>
}

/** Milliseconds that a token has left, at least, when it is handed out. */
const SHORTEST_MS = 30_000

/** @param deps `providerId`: for events; `now` in milliseconds since the epoch */
export function createRelay(deps: {
  readonly judge: JudgeToken
  readonly kept: KeptTokens
  readonly renew: Renew
  readonly records: Pick<Records, 'grants'>
  readonly resources: Pick<ResourceTable, 'byAudience'>
  readonly events: Events
  readonly providerId: string
  readonly now: () => number
}): Relay {
  const { judge, kept, records, resources, events, providerId: provider, now } = deps

  async function judgeFor(grant: Grant, { tokens }: Kept): Promise<Relayed | string> {
    const resource = resources.byAudience(grant.resource)
    if (!resource) return 'the server is no longer configured'
    const judgement = await judge(tokens.accessToken, resource)
    if (judgement.kind === 'refused') return judgement.reason
    const { sub, scopes, expiresAt } = judgement
    if (sub !== subjectOf(grant)) return 'the token is of another person'
    return {
      accessToken: tokens.accessToken,
      scopes,
      expiresAt: Math.min(Math.floor(expiresAt / 1000), grant.expiresAt),
      isRenewable: tokens.refreshToken !== undefined,
    }
  }

  function refuse(grant: Grant, reason: string): never {
    const resource = resources.byAudience(grant.resource)?.id
    events.emit({ event: 'relay-refused', reason, provider, ...grantFacts(grant), resource })
    throw new OAuthError(
      'invalid_grant',
      'the token of the identity provider would open nothing here: ask the operator',
    )
  }

  const isYounger = ({ renewedAt }: Kept, seconds: number): boolean =>
    renewedAt !== undefined && ageOf(renewedAt, now()) < seconds

  /** The token that we have, judged anew; undefined if the provider is to be asked for another. */
  async function withoutAsking(grant: Grant, found: Kept): Promise<Relayed | undefined> {
    const relayed = await judgeFor(grant, found)
    if (typeof relayed !== 'string' && relayed.expiresAt * 1000 - now() >= SHORTEST_MS) {
      return relayed
    }
    // The provider would give no better one than a moment ago.
    const isLast = found.tokens.refreshToken === undefined || isYounger(found, FAILURE_SECONDS)
    if (!isLast) return undefined
    return typeof relayed === 'string' ? refuse(grant, relayed) : relayed
  }

  async function renewed(grant: Grant): Promise<Relayed> {
    const answer = await deps.renew(grant)
    switch (answer.kind) {
      case 'none':
        throw gone()
      case 'ended':
        events.emit({
          event: 'grant-revoked',
          ...grantFacts(grant),
          by: 'provider',
          reason: `the provider ended its refresh token: ${answer.reason}`,
          resource: resources.byAudience(grant.resource)?.id,
        })
        await records.grants.revokeForSure(grant.id)
        throw gone()
      case 'renewed': {
        const relayed = await judgeFor(grant, answer.kept)
        return typeof relayed === 'string' ? refuse(grant, relayed) : relayed
      }
    }
  }

  return {
    async admit(tokens, person, resource) {
      if (!resource.policy(person)) return
      if (!tokens) throw useless('there is none')
      const judgement = await judge(tokens.accessToken, resource).catch((error: unknown) => {
        throw error instanceof ProviderFailure ? withSpentCode(error) : error
      })
      if (judgement.kind === 'refused') throw useless(judgement.reason)
      if (judgement.sub !== subjectOf(person)) throw useless('it is of another person')
    },
    async begin(grant, tokens) {
      if (!tokens) throw signInAgain()
      await kept.put(grant, tokens)
    },
    async renew(grant) {
      const found = await kept.find(grant)
      const isRecent = found !== undefined && isYounger(found, GOOD_SECONDS)
      if (isRecent && (await withoutAsking(grant, found))) return
      await renewed(grant)
    },
    async handOut(grant) {
      const found = await kept.find(grant)
      if (!found) throw gone()
      return (await withoutAsking(grant, found)) ?? renewed(grant)
    },
  }
}

const withSpentCode = (error: ProviderFailure) =>
  new ProviderFailure(error.kind, error.message, { cause: error, codeIsSpent: true })

const useless = (reason: string) =>
  new ProviderFailure('failed', `the access token would open nothing here: ${reason}`, {
    codeIsSpent: true,
  })

const gone = () =>
  new OAuthError('invalid_grant', 'the sign-in at the identity provider is over: sign in again')

/** For a person who was known, or carried along, without tokens of the provider. */
const signInAgain = () =>
  new PageError({
    kind: 'retry',
    title: 'Start again',
    text: 'This took too long, so you have to sign in once more. Nothing was shared. Go back to the program you want to connect and start again from there.',
  })

/**
 * The provider's own access tokens as bearers, at the resources that accept them. This folder owns the reading of such
 * a token, its audience, and the budget of calls; it does not own the calls themselves (`src/providers/`) or whether
 * the caller may pass (`src/check/`). A token seen within the last minute costs a look-up; a new one costs a signature
 * check or a call to the provider, shared by all requests that wait for it.
 *
 * @module
 */
import { LRUCache } from 'lru-cache'
import { sha256 } from '../../crypto.ts'
import type { Events } from '../../events.ts'
import type { ClientAddress } from '../../http/client-address.ts'
import { createRateCounter } from '../../http/rate-counter.ts'
import { subjectOf } from '../../oauth/subject.ts'
import {
  ProviderFailure,
  type TokenAuthority,
  type TokenStatement,
} from '../../providers/provider.ts'
import type { Storage } from '../../storage/storage.ts'
import { createTurns } from '../../turns.ts'
import { bucketsOf } from '../../url/address-buckets.ts'
import type { Credential } from '../credential.ts'
import type { BearerSource, Carrier } from '../credentials.ts'
import { createTokenCache } from '../token-cache.ts'
import { type AudienceRules, isTokenFor } from './audience.ts'
import { type CallBudget, createCallBudget } from './call-budget.ts'
import { readAccessToken } from './claims.ts'
import { MAX_TOKEN_LENGTH, tokenForm } from './token-form.ts'

export interface ProviderTokensDeps extends AudienceRules {
  readonly authority: TokenAuthority
  /** The claim that lists a person's groups. */
  readonly groupsClaim: string
  /** Tokens issued before this are refused. Seconds since the epoch. */
  readonly revokedBefore: () => number
  /** Counts the calls of all replicas, if they share the store. */
  readonly storage: Pick<Storage, 'count'>
  readonly clientAddress: ClientAddress
  readonly events: Events
  /** The id of the provider, for events. */
  readonly providerId: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds on a clock that is never set back, for spans. */
  readonly elapsed: () => number
}

/** After this a token is judged again, so that a revoked token ends. */
const ACCEPTED_MS = 60_000
const REFUSED_MS = 5_000
const MAX_KEPT = 10_000
/** Characters of all accepted tokens together. */
const MAX_KEPT_LENGTH = 32 * 1024 * 1024
/** Tokens that the provider accepted before have a budget of their own: a flood of others cannot end them. */
const STRANGERS = { atOnce: 16, perSecond: 20, burst: 100 }
/** The first tokens of an address have a budget of their own: a flood from others leaves room for them (at21). */
const FIRST = { atOnce: 8, perSecond: 10, burst: 50 }
const FIRST_TOKENS = 3
const ADDRESS_MS = 10 * 60_000
const KNOWN = { atOnce: 32, perSecond: 200, burst: 1000 }

interface Accepted {
  readonly credential: Credential
  /** When the token ends: milliseconds since the epoch. */
  readonly expiresAt: number
  /** In the time of `elapsed`. */
  readonly judgedAt: number
}

const refusal = (reason: string): Credential => ({ kind: 'refused', reason, source: 'bearer' })
const TOO_LONG = refusal('the token is longer than any access token')
const NOT_SIGNED_HERE = refusal('the provider signs no access tokens')

/** The source rejects with ProviderFailure `unavailable` for every failure that says nothing about the token. */
export function createProviderTokens(deps: ProviderTokensDeps): BearerSource {
  const { authority, groupsClaim, revokedBefore, events, providerId: provider, now, elapsed } = deps
  const accepted = createTokenCache<Accepted>({ maxLength: MAX_KEPT_LENGTH })
  const refused = new LRUCache<string, { credential: Credential; until: number }>({ max: MAX_KEPT })
  const inFlight = new Map<string, Promise<Credential>>()
  const counter = createRateCounter({
    group: 'provider',
    max: Number.POSITIVE_INFINITY,
    storage: deps.storage,
    now: elapsed,
  })
  const budgets = {
    first: createCallBudget({ ...FIRST, name: 'first', counter, elapsed }),
    strangers: createCallBudget({ ...STRANGERS, name: 'strangers', counter, elapsed }),
    known: createCallBudget({ ...KNOWN, name: 'known', counter, elapsed }),
  }
  const turns = createTurns({ windowMs: ADDRESS_MS, elapsed })
  const tolerated = (reason: string) => events.emit({ event: 'provider-odd', provider, reason })

  const isFresh = ({ expiresAt, judgedAt }: Accepted) =>
    now() < expiresAt && elapsed() - judgedAt < ACCEPTED_MS

  async function judge(
    token: string,
    hash: string,
    isJwt: boolean,
    carrier: Carrier | undefined,
  ): Promise<Credential> {
    const statement = await state(token, isJwt, carrier).catch((error: unknown) => {
      throw outage(error)
    })
    const reading =
      statement.kind === 'claims'
        ? readAccessToken(statement, {
            groupsClaim,
            revokedBefore: revokedBefore(),
            now: now() / 1000,
            tolerated,
          })
        : statement
    if (reading.kind === 'refused') {
      const credential = refusal(reading.reason)
      accepted.delete(token)
      refused.set(hash, { credential, until: elapsed() + REFUSED_MS })
      return credential
    }
    const { person, scopes, client, expiresAt } = reading.token
    const credential: Credential = {
      kind: 'verified',
      verified: {
        source: 'bearer',
        isFor: (resource) => isTokenFor(reading.token, resource, deps),
        isPerson: true,
        isOfProvider: true,
        person,
        sub: subjectOf(person),
        scopes,
        clientHash: client === undefined ? '' : sha256(client),
        expiresAt: expiresAt * 1000,
      },
    }
    accepted.set(token, { credential, expiresAt: expiresAt * 1000, judgedAt: elapsed() })
    return credential
  }

  async function state(
    token: string,
    isJwt: boolean,
    carrier: Carrier | undefined,
  ): Promise<TokenStatement> {
    if (isJwt && authority.readSigned) {
      const statement = await authority.readSigned(token)
      // Keycloak's lightweight tokens have no `sub`: only the provider knows the person.
      const isEnough = statement.kind === 'refused' || statement.claims.sub !== undefined
      if (isEnough) return statement
    }
    const budget = budgetFor(token, carrier)
    return budget.spend(() => authority.inspect(token, () => budget.spend(async () => undefined)))
  }

  function budgetFor(token: string, carrier: Carrier | undefined): CallBudget {
    if (accepted.get(token)) return budgets.known
    const address = carrier && deps.clientAddress(carrier)
    if (!address) return budgets.strangers
    const buckets = bucketsOf(address)
    const isFirst = turns.used(buckets) < FIRST_TOKENS
    turns.count(buckets)
    return isFirst ? budgets.first : budgets.strangers
  }

  /** Every fault of the provider is an outage to the caller, whose token may be good. */
  function outage(error: unknown): unknown {
    if (!(error instanceof ProviderFailure)) return error
    events.emit({ event: 'tokens-unjudged', provider, reason: error.message })
    return new ProviderFailure('unavailable', error.message)
  }

  return {
    verify(token, resource, carrier) {
      if (!resource.acceptsProviderTokens) return undefined
      const entry = accepted.get(token)
      if (entry && isFresh(entry)) return entry.credential
      if (token.length > MAX_TOKEN_LENGTH) return TOO_LONG
      const form = tokenForm(token)
      if (form.kind === 'jwt') {
        if (!authority.isIssuer(form.issuer)) return undefined
        if (!authority.readSigned) return NOT_SIGNED_HERE
      }
      const hash = sha256(token)
      const before = refused.get(hash)
      if (before && elapsed() < before.until) return before.credential
      const judged =
        inFlight.get(hash) ??
        judge(token, hash, form.kind === 'jwt', carrier).finally(() => inFlight.delete(hash))
      inFlight.set(hash, judged)
      return judged
    },
  }
}

/**
 * Has the provider vouch for the person behind a grant before a refresh: one request asks, the others wait for its answer
 * (decision K30, threat T31).
 *
 * @module
 */
import { OAuthError } from '../errors.ts'
import type { Report } from '../events.ts'
import { PersonUnchecked } from '../providers/provider.ts'
import { LOCK_SECONDS } from '../records/provider-lock.ts'
import type { Grant } from '../records/records.ts'
import type { UpstreamRecord } from '../records/upstream.ts'
import { type AskAgainDeps, createAskAgain, signInAgain } from './ask-again.ts'
import { ageOf, GOOD_SECONDS, MOST_POLLS, POLL_MS } from './provider-answers.ts'

/** For a client that waited in vain. */
const RETRY_SECONDS = 5

export interface RecheckDeps extends AskAgainDeps {
  readonly randomToken: () => string
  /** Milliseconds on a clock that is never set back. */
  readonly elapsed: () => number
  /** Waits so many milliseconds. */
  readonly wait: (milliseconds: number) => Promise<unknown>
}

/**
 * Returns once the provider has vouched for the person within the last minute, and the server behind has a token of the
 * person that lasts, if it gets one.
 * @throws OAuthError `invalid_grant` if it does not: the grant has ended; PersonUnchecked if it cannot be asked, or
 *   another request is still asking: the grant is as it was
 */
export type Recheck = (grant: Grant, report: Report) => Promise<void>

export function createRecheck(deps: RecheckDeps): Recheck {
  const { upstream, grants } = deps.records
  const askAgain = createAskAgain(deps)
  const isGood = (grant: Grant, record: UpstreamRecord | undefined): boolean =>
    record !== undefined &&
    ageOf(record.checkedAt, deps.now()) < GOOD_SECONDS &&
    !deps.personTokens.isDue(grant, record)

  async function awaitAnswer(grant: Grant): Promise<void> {
    for (let polls = 0; polls < MOST_POLLS; polls += 1) {
      // The lock is looked at first: whoever frees it has stored the answer before.
      const state = await upstream.lock.state(grant.id)
      if (isGood(grant, await upstream.find(grant.id))) return
      if (!(await grants.find(grant.id))) throw signInAgain()
      if (state !== 'taken') break
      await deps.wait(POLL_MS)
    }
    throw new PersonUnchecked('another request asks the provider about the person', RETRY_SECONDS)
  }

  return async (grant, report) => {
    if (isGood(grant, await upstream.find(grant.id))) return
    const owner = deps.randomToken()
    const began = deps.elapsed()
    const secondsLeft = () => LOCK_SECONDS - (deps.elapsed() - began) / 1000
    if (!(await upstream.lock.take(grant.id, owner))) return awaitAnswer(grant)
    try {
      // Another request may have asked since we looked.
      const found = await upstream.find(grant.id)
      if (!isGood(grant, found)) await askAgain(grant, { found, secondsLeft }, report)
      await upstream.lock.release(grant.id, owner)
    } catch (error) {
      // The first error says more than a second one, and the lock ends by itself. While an answer of the provider waits for
      // the store, nobody may ask with the token before it.
      if (error instanceof OAuthError) await upstream.lock.release(grant.id, owner).catch(() => {})
      if (error instanceof PersonUnchecked)
        await upstream.lock.fail(grant.id, owner).catch(() => {})
      throw error
    }
  }
}

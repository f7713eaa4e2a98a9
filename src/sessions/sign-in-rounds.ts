/**
 * Notices a browser that signs in again and again because it does not send its cookie back. The browser itself keeps
 * the count, sealed, so that a stranger cannot make us store anything (decision K3).
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { sha256 } from '../crypto.ts'
import type { Browsers } from '../login/browser.ts'
import type { Grant, Records } from '../records/records.ts'
import type { SessionTarget } from './target.ts'

export interface SignInRounds {
  /**
   * True if this browser signed in for the target so often that another sign-in would not help. A sign-in does not
   * count if its session has expired or the person signed out. Rejects with StorageUnavailable.
   */
  isLoop(request: FastifyRequest, target: SessionTarget): Promise<boolean>
  /** Counts a sign-in that ended in this grant. */
  note(reply: FastifyReply, target: SessionTarget, grant: Grant): Promise<void>
}

const NOTE = 'rounds'
/** Seconds. A loop repeats by itself every few seconds; a person who comes back is slower. */
const WINDOW = 20
/** A browser follows about 20 redirects in a row; on a host with its own cookie the third round starts at the 13th. */
const ROUNDS = 2
const MAX_NOTED = 8

const Note = z.array(
  z.object({ host: z.string(), audience: z.string(), grantId: z.string(), at: z.number() }),
)
type Round = z.infer<typeof Note>[number]

/** @param deps `now` in milliseconds since the epoch */
export function createSignInRounds(deps: {
  browsers: Browsers
  sessions: Pick<Records['sessions'], 'isActive'>
  now: () => number
}): SignInRounds {
  const { browsers, sessions } = deps
  const now = () => Math.floor(deps.now() / 1000)

  async function recent(request: FastifyRequest): Promise<Round[]> {
    const note = Note.safeParse(await browsers.note.read(request, NOTE))
    return note.success ? note.data.filter(({ at }) => Math.abs(now() - at) < WINDOW) : []
  }

  return {
    async isLoop(request, target) {
      const goal = goalOf(target)
      const before = (await recent(request)).filter((round) => isFor(round, goal))
      if (before.length < ROUNDS) return false
      const lost = await Promise.all(before.map(({ grantId }) => sessions.isActive(grantId)))
      return lost.filter(Boolean).length >= ROUNDS
    },
    async note(reply, target, grant) {
      const goal = goalOf(target)
      // Servers of one host share a cookie: a sign-in for one replaces the cookie of another, which was not lost.
      const others = (await recent(reply.request)).filter(
        (round) => round.host !== goal.host || isFor(round, goal),
      )
      const rounds = [{ ...goal, grantId: grant.id, at: now() }, ...others]
      await browsers.note.write(reply, NOTE, rounds.slice(0, MAX_NOTED), WINDOW)
    },
  }
}

/** The scope of a cookie: a host, and there one server or the whole domain. */
type Goal = Pick<Round, 'host' | 'audience'>

const goalOf = ({ returnTo, audience }: SessionTarget): Goal => ({
  host: short(new URL(returnTo).host),
  audience: short(audience),
})

const short = (text: string) => sha256(text).slice(0, 12)

const isFor = (round: Round, { host, audience }: Goal) =>
  round.host === host && round.audience === audience

/**
 * Notices a browser that signs in again and again because its cookie does not come back. The browser itself keeps
 * count, sealed, so that nobody unknown can make us keep anything (decision K3).
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { sha256 } from '../crypto.ts'
import type { Browsers } from '../login/browser.ts'
import type { SessionTarget } from './session-target.ts'

export interface SignInRounds {
  /** True once this browser has signed in for the target so often that once more would not help. */
  isCircle(request: FastifyRequest, target: SessionTarget): Promise<boolean>
  /** Counts a sign-in. */
  note(reply: FastifyReply, target: SessionTarget): Promise<void>
  /** After a person signed out on purpose, signing in again is no circle. */
  forget(reply: FastifyReply): Promise<void>
}

const NOTE = 'rounds'
/** Seconds. A circle turns by itself, at a few seconds a round; a person who comes back is slower. */
const WINDOW = 20
/** A browser follows about 20 redirects in a row; the third round on a host with a cookie of its own is the 13th on. */
const ROUNDS = 2
const MAX_NOTED = 8

const Note = z.array(z.object({ goal: z.string(), at: z.number() }))

/** @param deps `now` in milliseconds since the epoch */
export function createSignInRounds(deps: { browsers: Browsers; now: () => number }): SignInRounds {
  const { browsers } = deps
  const now = () => Math.floor(deps.now() / 1000)

  async function recent(request: FastifyRequest): Promise<z.infer<typeof Note>> {
    const note = Note.safeParse(await browsers.note.read(request, NOTE))
    return note.success ? note.data.filter(({ at }) => now() - at < WINDOW) : []
  }

  return {
    async isCircle(request, target) {
      const goal = goalOf(target)
      return (await recent(request)).filter((round) => round.goal === goal).length >= ROUNDS
    },
    async note(reply, target) {
      const rounds = [{ goal: goalOf(target), at: now() }, ...(await recent(reply.request))]
      await browsers.note.write(reply, NOTE, rounds.slice(0, MAX_NOTED), WINDOW)
    },
    forget: (reply) => browsers.note.write(reply, NOTE, [], WINDOW),
  }
}

/** What a cookie is for: a host, and there one server or all of a domain. */
const goalOf = ({ returnTo, audience }: SessionTarget) =>
  sha256(`${new URL(returnTo).host} ${audience}`).slice(0, 12)

/**
 * The step after a client is allowed: by the person, or by the configuration (decision K38). A known person is let in at
 * once; anybody else signs in next.
 *
 * @module
 */
import type { FastifyReply } from 'fastify'
import type { Outcome } from './complete.ts'
import { identifyUrl, type LoginFlow, otherAccountUrl } from './flow.ts'
import { answerOutcome } from './identification.ts'
import type { AskedInteraction } from './interaction.ts'
import { orAnswerFailure } from './provider-failure.ts'
import { sendContinuePage, sendOn } from './responses.ts'
import { reportConsent } from './sign-in-events.ts'
import type { KnownPerson } from './sign-ins.ts'
import { createSingleFlight } from './single-flight.ts'

/** The person who allowed the client. */
export type AllowedBy = 'person' | 'configuration'

export interface Approval {
  /** @param known the person who is known already; absent if they have to sign in */
  proceed(
    reply: FastifyReply,
    asked: AskedInteraction,
    options: { readonly by: AllowedBy; readonly known: KnownPerson | undefined },
  ): Promise<void>
}

/** A person who presses Allow twice gets the first answer. */
const KEEP_ANSWER_MS = 10_000

export function createApproval(flow: LoginFlow): Approval {
  const once = createSingleFlight<Outcome>({
    keep: ({ kind }) => kind === 'done',
    keepMs: KEEP_ANSWER_MS,
    elapsed: flow.elapsed,
  })
  return {
    async proceed(reply, { person: _, ...asked }, { by, known }) {
      const consented = { ...asked, stage: 'consented' as const }
      const { request } = reply
      reportConsent(request, consented, flow, { event: 'consent-given', by, person: known?.person })
      const remember = () =>
        flow.browsers.approve(reply, consented, consented.expiresAt - Math.floor(flow.now() / 1000))
      if (known) {
        const outcome = await once(consented.id, () =>
          flow.complete(consented, known, async () => known),
        )
        // A refused person may sign in as somebody else.
        if (outcome.kind === 'refused') remember()
        await answerOutcome(outcome, reply, consented, flow)
        return
      }
      remember()
      await orAnswerFailure(reply, consented, flow, async () => {
        const to = consented.someoneElse
          ? (await otherAccountUrl(consented, flow, {})).href
          : await identifyUrl(consented, flow)
        // The form of a person must not be followed by a redirect (decision K41).
        if (by === 'person') sendContinuePage(reply, to, 'Continue to sign in')
        else sendOn(reply, to)
      })
    },
  }
}

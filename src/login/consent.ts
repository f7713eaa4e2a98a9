/**
 * `POST /consent`: the decision of the person, in the browser that was asked (decision K6).
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PageError } from '../errors.ts'
import { refuseCrossSite } from '../http/cross-site.ts'
import { onHost } from '../http/host-constraint.ts'
import { allowOnly } from '../http/methods.ts'
import { subjectOf } from '../oauth/subject.ts'
import { CONSENT_PATH, originOf } from '../paths.ts'
import { type Parameters, single } from '../url/parameters.ts'
import { reopen, showConsent } from './ask-consent.ts'
import type { Outcome } from './complete.ts'
import {
  identifyUrl,
  type LoginFlow,
  otherAccountUrl,
  receiveInteraction,
  showStartAgain,
  wishesOf,
} from './flow.ts'
import { answerOutcome } from './identification.ts'
import type { ClientInteraction } from './interaction.ts'
import { orAnswerFailure } from './provider-failure.ts'
import { answerUrl, redirectOf, sendContinuePage, sendOn } from './responses.ts'
import { reportConsent } from './sign-in-events.ts'
import type { KnownPerson } from './sign-ins.ts'
import { createSingleFlight } from './single-flight.ts'

/** A person who presses Allow twice gets the first answer. */
const KEEP_ANSWER_MS = 10_000

export function consentRoute(app: FastifyInstance, flow: LoginFlow): void {
  const constraints = onHost(flow.host)
  const once = createSingleFlight<Outcome>({
    keep: ({ kind }) => kind === 'done',
    keepMs: KEEP_ANSWER_MS,
    elapsed: flow.elapsed,
  })
  app.post<{ Body: Parameters }>(CONSENT_PATH, { constraints }, async (request, reply) => {
    refuseCrossSite(request, originOf(flow.issuer))
    const sealed = single(request.body, 'interaction')
    const interaction = await receiveInteraction(request, sealed, flow)
    if (interaction.purpose !== 'client') {
      await showStartAgain(reply, interaction, flow)
      return reply
    }
    const decision = single(request.body, 'decision')
    const browser = flow.browsers.findOrSetCookie(request, reply)
    const now = Math.floor(flow.now() / 1000)

    if (
      decision === 'restart' ||
      (interaction.browser !== browser && now < interaction.expiresAt)
    ) {
      // Two tabs of a first visit overwrite each other's cookie: ask again, decide nothing.
      await showConsent(reply, reopen(interaction, browser, flow), flow)
    } else if (decision === 'someone-else') {
      await flow.signIns.end(request, reply)
      const { loginHint: _, ...wishes } = wishesOf(interaction)
      const asked = { ...reopen(interaction, browser, flow), wishes, someoneElse: true }
      await showConsent(reply, asked, flow)
    } else if (now >= interaction.expiresAt) {
      await showStartAgain(reply, interaction, flow)
    } else if (decision === 'approve') {
      const known =
        interaction.person === undefined ? undefined : await knownTo(request, interaction)
      if (known && subjectOf(known.person) !== interaction.person) {
        // Somebody else signed in since: the page named another person.
        await showConsent(reply, reopen(interaction, browser, flow), flow)
      } else {
        await approve(reply, interaction, known)
      }
    } else if (decision === 'deny') {
      flow.browsers.forget(reply, interaction)
      reportConsent(request, interaction, flow, { event: 'consent-denied' })
      sendOn(
        reply,
        answerUrl(redirectOf(interaction), flow.issuer, {
          error: 'access_denied',
          error_description: 'the person denied the request',
        }),
      )
    } else {
      throw new PageError({
        kind: 'retry',
        title: 'That answer could not be read',
        text: 'Go back and choose Deny or Allow.',
        details: 'decision must be approve, deny or restart',
      })
    }
    return reply
  })
  allowOnly(app, CONSENT_PATH, ['POST'], constraints)

  const knownTo = (request: FastifyRequest, interaction: ClientInteraction) =>
    flow.signIns.find(request, wishesOf(interaction))

  /** Lets a known person in at once; anybody else signs in next. */
  async function approve(
    reply: FastifyReply,
    { person: _, ...asked }: ClientInteraction,
    known: KnownPerson | undefined,
  ): Promise<void> {
    const consented = { ...asked, stage: 'consented' as const }
    reportConsent(reply.request, consented, flow, { event: 'consent-given', person: known?.person })
    const remember = () =>
      flow.browsers.approve(reply, consented, consented.expiresAt - Math.floor(flow.now() / 1000))
    if (known) {
      const outcome = await once(consented.id, () =>
        flow.complete(consented, known.person, async () => known),
      )
      // A refused person may sign in as somebody else.
      if (outcome.kind === 'refused') remember()
      await answerOutcome(outcome, reply, consented, flow)
      return
    }
    remember()
    await orAnswerFailure(reply, consented, flow, async () => {
      const to = consented.someoneElse
        ? (await otherAccountUrl(consented, flow, undefined)).href
        : await identifyUrl(consented, flow)
      sendContinuePage(reply, to, 'Continue to sign in')
    })
  }
}

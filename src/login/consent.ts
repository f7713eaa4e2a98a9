/**
 * `POST /authorize/consent`, and `/consent`: the decision of the person, in the browser that was asked (decision K6).
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PageError } from '../errors.ts'
import { refuseCrossSite } from '../http/cross-site.ts'
import { onHost } from '../http/host-constraint.ts'
import { allowOnly } from '../http/methods.ts'
import { subjectOf } from '../oauth/subject.ts'
import { CONSENT_ALIAS, CONSENT_PATH, DEVICE_DENIED_PATH, originOf, ownPath } from '../paths.ts'
import { type Parameters, single } from '../url/parameters.ts'
import { askAgain, reopen, showConsent } from './ask-consent.ts'
import { chosenScopes } from './chosen-scopes.ts'
import type { Outcome } from './complete.ts'
import { codeGone } from './device-purpose.ts'
import {
  identifyUrl,
  type LoginFlow,
  otherAccountUrl,
  receiveInteraction,
  showStartAgain,
  wishesOf,
} from './flow.ts'
import { answerOutcome } from './identification.ts'
import type { AskedInteraction } from './interaction.ts'
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
  const takeDecision = async (
    request: FastifyRequest<{ Body: Parameters }>,
    reply: FastifyReply,
  ) => {
    refuseCrossSite(request, originOf(flow.issuer))
    const sealed = single(request.body, 'interaction')
    const interaction = await receiveInteraction(request, sealed, flow)
    if (interaction.purpose === 'session') {
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
      await askAgain(interaction, reply, flow)
    } else if (decision === 'someone-else') {
      await flow.signIns.end(request, reply)
      const asked = { ...reopen(interaction, browser, flow), someoneElse: true }
      await showConsent(reply, withoutHint(asked), flow)
    } else if (now >= interaction.expiresAt) {
      await showStartAgain(reply, interaction, flow)
    } else if (decision === 'approve') {
      const known =
        interaction.person === undefined ? undefined : await knownTo(request, interaction)
      if (known && subjectOf(known.person) !== interaction.person) {
        // Somebody else signed in since: the page named another person.
        await showConsent(reply, reopen(interaction, browser, flow), flow)
      } else {
        const resource = flow.purposeOf(interaction).resource()
        await resource.freshScopes()
        const choice = chosenScopes(request.body, interaction.scopes, resource)
        if (choice.kind === 'chosen') {
          await approve(reply, { ...interaction, scopes: [...choice.scopes] }, known)
        } else {
          const askedAgain = choice.kind === 'nothing' ? 'chose-nothing' : 'list-changed'
          await showConsent(reply, interaction, flow, { askedAgain })
        }
      }
    } else if (decision === 'deny') {
      flow.browsers.forget(reply, interaction)
      const location = await deny(interaction)
      reportConsent(request, interaction, flow, { event: 'consent-denied' })
      sendOn(reply, location)
    } else {
      throw new PageError({
        kind: 'retry',
        title: 'That answer could not be read',
        text: 'Go back and choose Deny or Allow.',
        details: 'decision must be approve, deny or restart',
      })
    }
    return reply
  }
  for (const path of [CONSENT_PATH, CONSENT_ALIAS]) {
    app.post<{ Body: Parameters }>(path, { constraints }, takeDecision)
    allowOnly(app, path, ['POST'], constraints)
  }

  const knownTo = (request: FastifyRequest, interaction: AskedInteraction) =>
    flow.signIns.findForClient(request, wishesOf(interaction))

  /** Where the browser goes after a denial. @throws PageError if the request of a device no longer waits */
  async function deny(interaction: AskedInteraction): Promise<string> {
    if (interaction.purpose === 'client') {
      return answerUrl(redirectOf(interaction), flow.issuer, {
        error: 'access_denied',
        error_description: 'the person denied the request',
      })
    }
    const { userCode, deviceId } = interaction
    if (!(await flow.deviceRequests.answer(userCode, deviceId, { kind: 'denied' }))) {
      throw codeGone()
    }
    return ownPath(flow.issuer, DEVICE_DENIED_PATH)
  }

  /** Lets a known person in at once; anybody else signs in next. */
  async function approve(
    reply: FastifyReply,
    { person: _, ...asked }: AskedInteraction,
    known: KnownPerson | undefined,
  ): Promise<void> {
    const consented = { ...asked, stage: 'consented' as const }
    reportConsent(reply.request, consented, flow, { event: 'consent-given', person: known?.person })
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
        ? (await otherAccountUrl(consented, flow, undefined)).href
        : await identifyUrl(consented, flow)
      sendContinuePage(reply, to, 'Continue to sign in')
    })
  }
}

/** The request without the person whom the client expects. */
function withoutHint(asked: AskedInteraction): AskedInteraction {
  if (asked.purpose !== 'client' || !asked.wishes) return asked
  const { loginHint: _, ...wishes } = asked.wishes
  return { ...asked, wishes }
}

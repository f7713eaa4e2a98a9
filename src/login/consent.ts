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
import { createApproval } from './approval.ts'
import { askAgain, reopen, showConsent } from './ask-consent.ts'
import { chosenOf } from './chosen-tools.ts'
import { codeGone } from './device-purpose.ts'
import { type LoginFlow, receiveInteraction, showStartAgain, wishesOf } from './flow.ts'
import type { AskedInteraction } from './interaction.ts'
import { answerUrl, redirectOf, sendOn } from './responses.ts'
import { reportConsent, reportSignedOut } from './sign-in-events.ts'

export function consentRoute(app: FastifyInstance, flow: LoginFlow): void {
  const constraints = onHost(flow.host)
  const approval = createApproval(flow)
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
      const left = await flow.signIns.end(request, reply)
      if (left) reportSignedOut(request, left, flow)
      const asked = { ...reopen(interaction, browser, flow), someoneElse: true }
      await showConsent(reply, withoutHint(asked), flow)
    } else if (now >= interaction.expiresAt) {
      await showStartAgain(reply, interaction, flow)
    } else if (decision === 'approve') {
      const known =
        interaction.person === undefined
          ? undefined
          : await flow.signIns.findForClient(request, wishesOf(interaction))
      if (known && subjectOf(known.person) !== interaction.person) {
        // Somebody else signed in since: the page named another person.
        await showConsent(reply, reopen(interaction, browser, flow), flow)
      } else {
        const resource = flow.purposeOf(interaction).resource()
        await resource.freshScopes()
        const choice = chosenOf(request.body, interaction.scopes, resource)
        if (choice.kind === 'chosen') {
          const allowed = { ...interaction, scopes: [...choice.scopes] }
          await approval.proceed(reply, allowed, { by: 'person', known })
        } else {
          await showConsent(reply, interaction, flow, { askedAgain: choice.kind })
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
}

/** The request without the person whom the client expects. */
function withoutHint(asked: AskedInteraction): AskedInteraction {
  if (asked.purpose !== 'client' || !asked.wishes) return asked
  const { loginHint: _, ...wishes } = asked.wishes
  return { ...asked, wishes }
}

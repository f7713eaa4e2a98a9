/**
 * `POST /consent`: the decision of the person, in the browser that was asked (decision K6).
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { PageError } from '../errors.ts'
import { refuseCrossSite } from '../http/cross-site.ts'
import { onHost } from '../http/host-constraint.ts'
import { allowOnly } from '../http/methods.ts'
import { CONSENT_PATH } from '../paths.ts'
import { type Parameters, single } from '../url/parameters.ts'
import {
  identifyUrl,
  type LoginFlow,
  receiveInteraction,
  reopen,
  showConsent,
  showStartAgain,
} from './flow.ts'
import { orAnswerFailure } from './provider-failure.ts'
import { answerUrl, redirectOf, sendContinuePage, sendOn } from './responses.ts'

export function consentRoute(app: FastifyInstance, flow: LoginFlow): void {
  const constraints = onHost(flow.host)
  app.post<{ Body: Parameters }>(CONSENT_PATH, { constraints }, async (request, reply) => {
    refuseCrossSite(request, flow.issuer)
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
    } else if (now >= interaction.expiresAt) {
      await showStartAgain(reply, interaction, flow)
    } else if (decision === 'approve') {
      const consented = { ...interaction, stage: 'consented' as const }
      flow.browsers.approve(reply, consented, interaction.expiresAt - now)
      await orAnswerFailure(reply, consented, flow, async () =>
        sendContinuePage(reply, await identifyUrl(consented, flow), 'Continue to sign in'),
      )
    } else if (decision === 'deny') {
      flow.browsers.forget(reply, interaction)
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
}

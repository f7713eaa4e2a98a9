/**
 * `GET /authorize`: judges the request, binds it to the browser, asks for consent (OAuth 2.1 section 4.1.1).
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { randomToken } from '../crypto.ts'
import { AuthorizationError, OAuthError } from '../errors.ts'
import { allowOnly } from '../http/methods.ts'
import { refuseFromSharedHost } from '../http/own-pages.ts'
import { rawQuery } from '../http/raw-query.ts'
import {
  type AuthorizationRequest,
  parseAuthorizationRequest,
} from '../oauth/authorization-request.ts'
import { ENDPOINTS } from '../paths.ts'
import { parseParameters } from '../url/parameters.ts'
import { type LoginFlow, pageHostOf, showConsent } from './flow.ts'
import { type ClientInteraction, INTERACTION_LIFETIME, sealInteraction } from './interaction.ts'
import { answerAuthorizationError } from './responses.ts'

export function authorizeRoute(app: FastifyInstance, flow: LoginFlow): void {
  app.get(ENDPOINTS.authorization, async (request, reply) => {
    refuseFromSharedHost(request, pageHostOf(flow))
    try {
      const asked = await parseAuthorizationRequest(parseParameters(rawQuery(request)), {
        clients: flow.clients,
        resources: flow.resources,
        ownOrigin: flow.issuer,
      })
      const browser = flow.browsers.findOrSetCookie(request, reply)
      const interaction = interactionOf(asked, browser, flow)
      await refuseOversized(interaction, asked, flow)
      await showConsent(reply, interaction, flow)
    } catch (error) {
      if (!(error instanceof AuthorizationError)) throw error
      answerAuthorizationError(error, reply, flow.issuer)
    }
    return reply
  })
  allowOnly(app, ENDPOINTS.authorization, ['GET'])
}

function interactionOf(
  asked: AuthorizationRequest,
  browser: string,
  flow: LoginFlow,
): ClientInteraction {
  return {
    purpose: 'client',
    id: randomToken(16),
    stage: 'requested',
    clientHash: asked.client.hash,
    clientName: asked.client.name,
    clientConfigured: asked.client.configured,
    redirectUri: asked.redirect.redirectUri,
    ...(asked.redirect.state !== undefined && { state: asked.redirect.state }),
    codeChallenge: asked.codeChallenge,
    resource: asked.resource.audience,
    scopes: [...asked.scopes],
    provider: flow.provider.id,
    browser,
    expiresAt: Math.floor(flow.now() / 1000) + INTERACTION_LIFETIME,
  }
}

/** Tells the client that its request does not fit into the provider's `state`: only the client can fix that. */
async function refuseOversized(
  interaction: ClientInteraction,
  { redirect }: AuthorizationRequest,
  flow: LoginFlow,
): Promise<void> {
  try {
    await sealInteraction({ ...interaction, stage: 'consented' }, flow.keyring)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    throw new AuthorizationError(error.code, error.description, redirect)
  }
}

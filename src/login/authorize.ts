/**
 * `GET /authorize`: judges the request, binds it to the browser, asks for consent (OAuth 2.1 section 4.1.1).
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { randomToken } from '../crypto.ts'
import { AuthorizationError, OAuthError } from '../errors.ts'
import { isFetchedAhead } from '../http/browser-request.ts'
import { allowOnly } from '../http/methods.ts'
import { refuseFromSharedHost, refuseUnlessOpened } from '../http/own-pages.ts'
import { rawQuery } from '../http/raw-query.ts'
import {
  ASKED_HOST,
  type AuthorizationRequest,
  parseAuthorizationRequest,
} from '../oauth/authorization-request.ts'
import { clientFacts } from '../oauth/grant-facts.ts'
import { parseScope } from '../oauth/scope.ts'
import { fewerWishes } from '../oauth/sign-in-wishes.ts'
import { ENDPOINTS } from '../paths.ts'
import { type Parameters, parseParameters, single } from '../url/parameters.ts'
import { createApproval } from './approval.ts'
import { showConsent } from './ask-consent.ts'
import { type LoginFlow, openedByHand, pageHostOf, wishesOf } from './flow.ts'
import { type ClientInteraction, INTERACTION_LIFETIME, sealInteraction } from './interaction.ts'
import { answerAuthorizationError } from './responses.ts'

/** Scopes in an event, and the characters of each. */
const MAX_LISTED = 20
const MAX_SCOPE_LENGTH = 64

export function authorizeRoute(app: FastifyInstance, flow: LoginFlow): void {
  const approval = createApproval(flow)
  app.get(ENDPOINTS.authorization, async (request, reply) => {
    refuseFromSharedHost(request, pageHostOf(flow))
    const parameters = parseParameters(rawQuery(request))
    if ([...parameters.keys()].every((name) => name === ASKED_HOST)) throw openedByHand()
    try {
      const asked = await parseAuthorizationRequest(parameters, {
        clients: flow.clients,
        resources: flow.resources,
        redirectRules: flow.redirectRules,
        address: flow.clientAddress(request.raw),
      })
      refuseUnlessOpened(request)
      const browser = flow.browsers.findOrSetCookie(request, reply)
      const interaction = await fitting(interactionOf(asked, browser, flow), asked, flow)
      reportUnknownScopes(asked, reply)
      if (asked.client.needsConsent === false && !isConsentWanted(request, parameters)) {
        const known = await flow.signIns.findForClient(request, wishesOf(interaction))
        await approval.proceed(reply, interaction, { by: 'configuration', known })
      } else {
        await showConsent(reply, interaction, flow)
      }
    } catch (error) {
      if (!(error instanceof AuthorizationError)) throw error
      refuseUnlessOpened(request)
      answerAuthorizationError(error, reply, flow.issuer)
    }
    return reply
  })
  allowOnly(app, ENDPOINTS.authorization, ['GET'])
}

/**
 * True if the page is to come although the configuration leaves it out: the client wants it (OpenID Connect Core section
 * 3.1.2.1), or the request only looks, and must not leave a permission.
 */
const isConsentWanted = ({ method, raw }: FastifyRequest, parameters: Parameters) =>
  parseScope(single(parameters, 'prompt')).includes('consent') ||
  method === 'HEAD' ||
  isFetchedAhead(raw.rawHeaders)

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
    ...(asked.client.documentHost !== undefined && { documentHost: asked.client.documentHost }),
    redirectUri: asked.redirect.redirectUri,
    ...(asked.redirect.state !== undefined && { state: asked.redirect.state }),
    codeChallenge: asked.codeChallenge,
    resource: asked.resource.audience,
    scopes: [...asked.scopes],
    ...(Object.keys(asked.wishes).length > 0 && { wishes: asked.wishes }),
    provider: flow.provider.id,
    browser,
    expiresAt: Math.floor(flow.now() / 1000) + INTERACTION_LIFETIME,
  }
}

/** Some clients take what they get for an error here; the event tells the operator why. */
function reportUnknownScopes(
  { unknownScopes, scopes, client, resource }: AuthorizationRequest,
  { request }: FastifyReply,
): void {
  if (!unknownScopes) return
  request.report({
    event: 'scopes-unknown',
    ...clientFacts({ clientName: client.name, clientHash: client.hash }),
    askedScopes: unknownScopes
      .slice(0, MAX_LISTED)
      .map((scope) => scope.slice(0, MAX_SCOPE_LENGTH)),
    scopes: scopes.slice(0, MAX_LISTED),
    resource: resource.id,
  })
}

/**
 * The interaction, if need be without the wishes that do not fit into the provider's `state`.
 * @throws AuthorizationError if it does not fit without them either: only the client can fix that
 */
async function fitting(
  interaction: ClientInteraction,
  asked: AuthorizationRequest,
  flow: LoginFlow,
): Promise<ClientInteraction> {
  try {
    // The longest that it gets: the person whom a page names is left out where there is no room.
    const tellsOfToken = asked.resource.passThrough.personTokenHeader !== undefined
    await sealInteraction(
      {
        ...interaction,
        stage: 'consented',
        someoneElse: true,
        ...(tellsOfToken && { tellsOfToken }),
      },
      flow,
    )
    return interaction
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const wishes = interaction.wishes && fewerWishes(interaction.wishes)
    if (wishes) return fitting({ ...interaction, wishes }, asked, flow)
    throw new AuthorizationError(error.code, error.description, asked.redirect)
  }
}

/**
 * Asks a person whether a client may use a resource. The page names the person whom this browser is signed in as, and the
 * answer counts for that person alone.
 *
 * @module
 */
import type { FastifyReply } from 'fastify'
import { randomToken } from '../crypto.ts'
import { OAuthError } from '../errors.ts'
import { refuseFromSharedHost } from '../http/own-pages.ts'
import { shownUserCode } from '../oauth/device/user-code.ts'
import { destinationOf } from '../oauth/redirect-uri.ts'
import { subjectOf } from '../oauth/subject.ts'
import {
  type ConsentPage,
  consentPage,
  hasCoveredBoxes,
  type Known,
} from '../pages/consent-page.ts'
import { COVERED_BOXES_SOURCE } from '../pages/covered-boxes.ts'
import { pageHeaders } from '../pages/styles.ts'
import { TOOL_CHOICE_SOURCE } from '../pages/tool-choice.ts'
import { CONSENT_PATH, ownPath } from '../paths.ts'
import type { Identity } from '../providers/provider.ts'
import { choiceOf, offeredScopes } from './chosen-scopes.ts'
import { offeredTools, offerMark } from './chosen-tools.ts'
import { deviceFormUrl } from './device-form.ts'
import { type LoginFlow, pageHostOf, personName, wishesOf } from './flow.ts'
import { type AskedInteraction, INTERACTION_LIFETIME, sealInteraction } from './interaction.ts'
import { sendOn } from './responses.ts'

/** The same request of the same client under a new id, not yet allowed, in this browser. */
export function reopen<Asked extends AskedInteraction>(
  interaction: Asked,
  browser: string,
  flow: LoginFlow,
): Asked {
  return {
    ...interaction,
    id: randomToken(16),
    stage: 'requested',
    provider: flow.provider.id,
    browser,
    // The code of a device has its own end.
    ...(interaction.purpose === 'client' && {
      expiresAt: Math.floor(flow.now() / 1000) + INTERACTION_LIFETIME,
    }),
  }
}

/**
 * Asks a person anew: their request is over, or it came from another browser. Anybody can begin a request in a browser of
 * their own and have another one open its address. On a shared host without a sandbox the page would be open to that host's
 * servers (threat T35), and the code of a device would skip the page where its person compares it (RFC 8628 section 5.4).
 * @throws PageError if a page of a server on our host sent another browser's request
 */
export async function askAgain(
  interaction: AskedInteraction,
  reply: FastifyReply,
  flow: LoginFlow,
): Promise<void> {
  const { request } = reply
  if (interaction.browser !== flow.browsers.find(request)) {
    // In a sandbox a server's page has an origin of its own, and reads none of ours.
    if (!flow.resources.isOurHostGuarded) refuseFromSharedHost(request, pageHostOf(flow))
    if (interaction.purpose === 'device') {
      sendOn(reply, deviceFormUrl(flow.issuer, interaction.userCode))
      return
    }
  }
  const browser = flow.browsers.findOrSetCookie(request, reply)
  await showConsent(reply, reopen(interaction, browser, flow), flow)
}

function knownBy({ clientConfigured, documentHost }: AskedInteraction): Known {
  if (clientConfigured) return 'configured'
  return documentHost === undefined ? 'self-declared' : { publishedBy: documentHost }
}

/**
 * @param options `askedAgain`: the page says why an earlier answer did not count
 * @throws PageError if the resource is no longer configured
 */
export async function showConsent(
  reply: FastifyReply,
  interaction: AskedInteraction,
  flow: LoginFlow,
  { askedAgain }: Pick<ConsentPage, 'askedAgain'> = {},
): Promise<void> {
  const resource = flow.purposeOf(interaction).resource()
  await resource.freshScopes()
  const tellsOfToken = resource.passThrough.personTokenHeader !== undefined
  const { sealed, person } = await sealFor(reply, interaction, { flow, tellsOfToken })
  // Nobody can limit the provider's own token, so no list of ours describes it.
  const tools = flow.relay ? undefined : offeredTools(interaction.scopes, resource)
  const scopes = tools || flow.relay ? [] : offeredScopes(interaction.scopes, resource)
  const page = consentPage({
    action: ownPath(flow.issuer, CONSENT_PATH),
    interaction: sealed,
    client: {
      name: interaction.clientName,
      known: knownBy(interaction),
    },
    resource: { name: resource.name, host: resource.audience.replace(/^https?:\/\//, '') },
    scopes,
    choice: tools ? offerMark(tools) : choiceOf(scopes),
    ...(tools && { tools }),
    areScopesAnnounced: !tools && resource.areScopesAnnounced,
    ...(askedAgain && { askedAgain }),
    ...(flow.relay && { tokenOf: flow.provider.name }),
    ...(tellsOfToken && { serverGetsTokenOf: flow.provider.name }),
    ...(interaction.purpose === 'client'
      ? { destination: destinationOf(interaction.redirectUri), address: interaction.redirectUri }
      : { destination: { kind: 'device', userCode: shownUserCode(interaction.userCode) } }),
    ...(person && { person: personName(person) }),
  })
  void reply
    .code(askedAgain ? 400 : 200)
    .headers(
      pageHeaders({
        scripts: [
          ...(hasCoveredBoxes({ scopes }) ? [COVERED_BOXES_SOURCE] : []),
          ...(tools ? [TOOL_CHOICE_SOURCE] : []),
        ],
      }),
    )
    .send(page)
}

/** The interaction with the person whom the page names; without one if there is none, or no room for it. */
async function sealFor(
  { request }: FastifyReply,
  { person: _, tellsOfToken: __, ...asked }: AskedInteraction,
  { flow, tellsOfToken }: { readonly flow: LoginFlow; readonly tellsOfToken: boolean },
): Promise<{ readonly sealed: string; readonly person?: Identity }> {
  const interaction = { ...asked, ...(tellsOfToken && { tellsOfToken }) }
  const known = interaction.someoneElse
    ? undefined
    : await flow.signIns.findForClient(request, wishesOf(interaction))
  if (!known) return { sealed: await sealInteraction(interaction, flow) }
  const { person } = known
  try {
    const named = { ...interaction, person: subjectOf(person) }
    return { sealed: await sealInteraction(named, flow), person }
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    return { sealed: await sealInteraction(interaction, flow) }
  }
}

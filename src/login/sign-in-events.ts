/**
 * The events of a sign-in, each with the program, the server and the provider that it is about.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { clientFacts, DEVICE_DESTINATION } from '../oauth/grant-facts.ts'
import { destinationName } from '../oauth/redirect-uri.ts'
import { subjectOf } from '../oauth/subject.ts'
import type { Identity, ProviderFailure } from '../providers/provider.ts'
import type { Outcome } from './complete.ts'
import type { LoginFlow } from './flow.ts'
import type { AskedInteraction, Interaction } from './interaction.ts'
import { journeyOf } from './journey.ts'

/** A person may be in thousands of groups; the first ones show how the provider writes them. */
const MAX_GROUPS = 50

/**
 * @param failure `user`: the name of a user that exists, never the text that was typed, which may be a password;
 *   `seconds`: the wait until the next attempt counts
 */
export function reportFailedSignIn(
  request: FastifyRequest,
  interaction: Interaction,
  flow: LoginFlow,
  failure: {
    readonly reason: string
    readonly user?: string | undefined
    readonly seconds?: number | undefined
  },
): void {
  request.report({ event: 'sign-in-failed', ...failure, ...circumstances(interaction, flow) })
}

/** A person whom this browser knew, at `/logout` or by "Use another account"; sessions of pages have events of their own. */
export function reportSignedOut(
  request: FastifyRequest,
  person: Identity,
  { userOf, host }: Pick<LoginFlow, 'userOf' | 'host'>,
): void {
  const user = userOf(person)
  request.report({ event: 'signed-out', user, userId: subjectOf(person), by: 'person', host })
}

/** A failure of the provider, or its statement that this person did not sign in. */
export function reportProviderFailure(
  request: FastifyRequest,
  interaction: Interaction,
  flow: LoginFlow,
  { kind, message: reason }: ProviderFailure,
): void {
  const event = kind === 'failed' || kind === 'unavailable' ? 'provider-failed' : 'sign-in-failed'
  request.report({ event, reason, ...circumstances(interaction, flow) })
}

/** A person whom the provider identified and the policy does not let in. */
export function reportRefusedPerson(
  request: FastifyRequest,
  interaction: Interaction,
  flow: LoginFlow,
  { person, absentClaim }: { readonly person: Identity; readonly absentClaim?: string },
): void {
  const noEmail = person.email === undefined
  request.report({
    event: 'person-refused',
    reason: [
      `the person is on no list${noEmail ? ', and has no verified e-mail address' : ''}`,
      ...(absentClaim === undefined
        ? []
        : [`claim ${absentClaim} is neither in the ID token nor in userinfo`]),
    ].join('; '),
    ...personFacts(person, flow),
    groups: person.groups.slice(0, MAX_GROUPS),
    allowed: resourceOf(interaction, flow)?.allowed ?? '',
    ...circumstances(interaction, flow),
  })
}

/**
 * The decision about a client: of a person, or of the configuration.
 * @param decision `person`: who is at the browser, where an earlier sign-in tells
 */
export function reportConsent(
  request: FastifyRequest,
  interaction: AskedInteraction,
  flow: LoginFlow,
  decision: { readonly person?: Identity | undefined } & (
    | { readonly event: 'consent-given'; readonly by: 'person' | 'configuration' }
    | { readonly event: 'consent-denied' }
  ),
): void {
  const { person, ...made } = decision
  const { clientHash, clientName, scopes } = interaction
  request.report({
    ...made,
    grant: journeyOf(interaction),
    ...(person && personFacts(person, flow)),
    ...clientFacts({ clientHash, clientName }),
    scopes,
    destination: destinationIn(interaction),
    resource: resourceOf(interaction, flow)?.id,
  })
}

/** A person who was let in: who signed in now, or is known by an earlier sign-in. */
export function reportSignIn(
  request: FastifyRequest,
  interaction: Interaction,
  flow: LoginFlow,
  { person, scopes, isKnown }: Extract<Outcome, { kind: 'done' }>,
): void {
  request.report({
    event: isKnown ? 'let-in' : 'signed-in',
    ...personFacts(person, flow),
    scopes,
    destination: destinationIn(interaction),
    ...circumstances(interaction, flow),
  })
}

function destinationIn(interaction: Interaction): string {
  switch (interaction.purpose) {
    case 'client':
      return destinationName(interaction.redirectUri)
    case 'device':
      return DEVICE_DESTINATION
    case 'session':
      return new URL(interaction.returnTo).host
  }
}

const personFacts = (person: Identity, flow: LoginFlow) => ({
  user: flow.userOf(person),
  userId: subjectOf(person),
})

function circumstances(interaction: Interaction, flow: LoginFlow) {
  return {
    grant: journeyOf(interaction),
    provider: flow.provider.id,
    resource: resourceOf(interaction, flow)?.id,
    ...(interaction.purpose !== 'session' && clientFacts(interaction)),
  }
}

/** Undefined if it was removed from the configuration during the sign-in. */
function resourceOf(interaction: Interaction, flow: LoginFlow) {
  try {
    return flow.purposeOf(interaction).resource()
  } catch {
    return undefined
  }
}

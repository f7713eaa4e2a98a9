/**
 * The log lines of sign-ins that failed or were refused. Programs that ban addresses read them, so the fields that
 * decide come first, in a fixed order (docs/logs.md).
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { subjectOf } from '../oauth/subject.ts'
import type { Identity } from '../providers/provider.ts'
import type { LoginFlow } from './flow.ts'
import type { Interaction } from './interaction.ts'

/** A person may be in thousands of groups; the first ones show how the provider writes them. */
const MAX_GROUPS = 50
const SHORT_ID = 10

type Level = 'info' | 'warn'

/**
 * Logs a failed sign-in.
 * @param failure `user`: the name of a user that exists, never the text that was typed, which may be a password
 */
export function logFailedSignIn(
  request: FastifyRequest,
  interaction: Interaction,
  flow: LoginFlow,
  failure: { readonly reason: string; readonly user?: string | undefined; readonly level?: Level },
): void {
  const { reason, user, level = 'info' } = failure
  request.log[level](
    {
      event: 'sign_in_failed',
      address: flow.clientAddress(request.raw),
      reason,
      ...(user !== undefined && { user }),
      ...circumstances(request, interaction, flow),
    },
    'sign-in failed',
  )
}

/** Logs a person whom the provider identified and the policy does not let in. */
export function logRefusedPerson(
  request: FastifyRequest,
  interaction: Interaction,
  flow: LoginFlow,
  { person, absentClaim }: { readonly person: Identity; readonly absentClaim?: string },
): void {
  const noEmail = person.email === undefined
  request.log.info(
    {
      event: 'person_refused',
      address: flow.clientAddress(request.raw),
      reason: [
        `the person is on no list${noEmail ? ', and has no verified e-mail address' : ''}`,
        ...(absentClaim === undefined
          ? []
          : [`claim ${absentClaim} is neither in the ID token nor in userinfo`]),
      ].join('; '),
      ...(person.email !== undefined && { user: person.email }),
      id: subjectOf(person),
      groups: person.groups.slice(0, MAX_GROUPS),
      ...circumstances(request, interaction, flow),
    },
    'person refused',
  )
}

function circumstances(
  request: FastifyRequest,
  interaction: Interaction,
  flow: LoginFlow,
): Readonly<Record<string, unknown>> {
  return {
    requestId: request.id,
    provider: flow.provider.id,
    ...serverOf(interaction, flow),
    ...(interaction.purpose === 'client' && {
      client: interaction.clientName,
      clientId: interaction.clientHash.slice(0, SHORT_ID),
    }),
  }
}

function serverOf(interaction: Interaction, flow: LoginFlow): { readonly resource?: string } {
  try {
    return { resource: flow.purposeOf(interaction).resource().id }
  } catch {
    // It was removed from the configuration during the sign-in.
    return {}
  }
}

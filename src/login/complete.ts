/**
 * The step that turns an identified person into a grant: policy, the single-use gate, grant (decision K9). Every
 * provider ends here, whatever the person signs in for.
 *
 * @module
 */
import { randomToken } from '../crypto.ts'
import { PageError } from '../errors.ts'
import { subjectOf } from '../oauth/subject.ts'
import type { Identity } from '../providers/provider.ts'
import type { Grant, Records } from '../records/records.ts'
import type { Resource, ResourceTable } from '../resources/resource-table.ts'
import type { Interaction } from './interaction.ts'
import type { Arrival, Purpose } from './purpose.ts'

export type Outcome =
  | { readonly kind: 'done'; readonly user: string; readonly arrival: Arrival }
  | {
      readonly kind: 'refused'
      readonly person: Identity
      readonly idToken?: string
      readonly absentClaim?: string
    }
  | { readonly kind: 'already-answered' }

/**
 * @param deps `now` in milliseconds since the epoch
 * @throws PageError if the resource is no longer configured
 */
export async function complete(
  interaction: Interaction,
  person: Identity,
  deps: {
    purpose: Purpose
    records: Records
    /** The mark of the person's password, if our own login took one. */
    credentialOf: (person: Identity) => string | undefined
    now: () => number
  },
): Promise<Outcome> {
  const { purpose, records } = deps
  const now = Math.floor(deps.now() / 1000)
  // A refused person keeps the interaction: they may sign in as someone else.
  if (!purpose.resource().policy(person)) return { kind: 'refused', person }
  const { issuer, subject, ...identity } = person
  const credential = deps.credentialOf(person)
  const grant: Grant = {
    id: randomToken(16),
    provider: interaction.provider,
    issuer,
    subject,
    ...(credential !== undefined && { credential }),
    ...purpose.terms(now),
    createdAt: now,
  }
  const remaining = Math.max(1, interaction.expiresAt - now)
  try {
    if (!(await records.interactions.answer(interaction.id, grant.id, remaining))) {
      return { kind: 'already-answered' }
    }
    await records.grants.create(grant, identity, now)
    return { kind: 'done', user: subjectOf(person), arrival: await purpose.finish(grant, person) }
  } catch (error) {
    // No answer has left yet, so the person may try again. The first error says more than a failed clean-up.
    records.grants.revokeForSure(grant.id).catch(() => {})
    await records.interactions.giveBack(interaction.id, grant.id, remaining).catch(() => {})
    throw error
  }
}

/**
 * The resource with this audience.
 * @throws PageError if it was removed from the configuration during the sign-in
 */
export function resourceOf(audience: string, resources: ResourceTable): Resource {
  const resource = resources.byAudience(audience)
  if (resource) return resource
  throw resourceGone()
}

/** For a person whose resource was removed from the configuration during the sign-in. */
export function resourceGone(): PageError {
  return new PageError({
    kind: 'retry',
    title: 'This server is no longer here',
    text: 'The server you wanted to connect to was removed while you were signing in. Ask whoever runs it for its address.',
  })
}

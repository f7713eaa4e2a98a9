/**
 * The step that turns an identified person into a grant: policy, the single-use gate, grant (decision K9). Every
 * provider ends here, whatever the person signs in for.
 *
 * @module
 */
import { PageError } from '../errors.ts'
import type { Identity } from '../providers/provider.ts'
import type { Grant, Records } from '../records/records.ts'
import type { Resource, ResourceTable } from '../resources/resource-table.ts'
import type { Interaction } from './interaction.ts'
import { grantIdOf } from './journey.ts'
import type { Arrival, Purpose, Terms } from './purpose.ts'
import type { SignedIn } from './sign-ins.ts'

export type Outcome =
  | {
      readonly kind: 'done'
      readonly person: Identity
      readonly scopes: readonly string[]
      readonly arrival: Arrival
      /** True if the person signed in before, and not now. */
      readonly isKnown: boolean
      readonly setCookie: SignedIn['setCookie']
    }
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
    signedIn: () => Promise<SignedIn | undefined>
    /** Keeps the provider's tokens of the grant, where its client gets them. */
    keepTokens: ((grant: Grant) => Promise<void>) | undefined
    /** Stores what asks the provider about the person of a grant again, where refreshes do. */
    keepForRechecks: ((grant: Grant) => Promise<void>) | undefined
    now: () => number
  },
): Promise<Outcome> {
  const { purpose, records } = deps
  const now = Math.floor(deps.now() / 1000)
  // A refused person keeps the interaction: they may sign in as someone else.
  if (!purpose.resource().policy(person)) return { kind: 'refused', person }
  await purpose.check?.()
  const { issuer, subject, ...identity } = person
  const credential = deps.credentialOf(person)
  const id = grantIdOf(interaction)
  const remaining = Math.max(1, interaction.expiresAt - now)
  try {
    if (!(await records.interactions.answer(interaction.id, id, remaining))) {
      return { kind: 'already-answered' }
    }
    const signedIn = await deps.signedIn()
    const terms = purpose.terms(now)
    const grant: Grant = {
      id,
      provider: interaction.provider,
      issuer,
      subject,
      ...(credential !== undefined && { credential }),
      ...(signedIn && { signIn: signedIn.id }),
      ...terms,
      expiresAt: lastOf(interaction, terms, signedIn),
      createdAt: now,
    }
    // The grant comes last: no grant is seen without the rest.
    await deps.keepForRechecks?.(grant)
    await deps.keepTokens?.(grant)
    await records.grants.create(grant, identity, now)
    return {
      kind: 'done',
      person,
      scopes: grant.scopes,
      arrival: await purpose.finish(grant, person),
      isKnown: signedIn !== undefined && signedIn.setCookie === undefined,
      setCookie: signedIn?.setCookie,
    }
  } catch (error) {
    // No answer has left yet, so the person may try again. The first error says more than a failed clean-up.
    records.grants.undo(id).catch(() => {})
    await records.interactions.giveBack(interaction.id, id, remaining).catch(() => {})
    throw error
  }
}

/** A session in a browser ends with the sign-in that it comes from: else each would begin the person's time anew. */
const lastOf = ({ purpose }: Interaction, { expiresAt }: Terms, signedIn: SignedIn | undefined) =>
  purpose === 'session' && signedIn ? Math.min(expiresAt, signedIn.until) : expiresAt

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

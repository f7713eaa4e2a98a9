/**
 * The step that turns an identified person into an authorization code: policy, the single-use gate, grant, code
 * (decision K9). Every provider ends here.
 *
 * @module
 */
import { randomToken, sha256 } from '../crypto.ts'
import type { Resource, ResourceTable } from '../forward-auth/resource.ts'
import { PageError } from '../oauth/errors.ts'
import { destinationOf } from '../oauth/redirect-uri.ts'
import { subjectOf } from '../oauth/subject.ts'
import type { Identity } from '../providers/provider.ts'
import type { Grant, Records } from '../storage/records.ts'
import type { Interaction } from './interaction.ts'

export type Outcome =
  | { readonly kind: 'code'; readonly code: string; readonly user: string }
  | { readonly kind: 'refused'; readonly person: Identity }
  | { readonly kind: 'already-answered' }

/**
 * @param deps `grantLifetime` in seconds, `now` in milliseconds since the epoch
 * @throws PageError if the resource is no longer configured
 */
export async function complete(
  interaction: Interaction,
  person: Identity,
  deps: { records: Records; resources: ResourceTable; grantLifetime: number; now: () => number },
): Promise<Outcome> {
  const resource = resourceOf(interaction, deps.resources)
  // A refused person keeps the interaction: they may sign in as someone else.
  if (!resource.policy(person)) return { kind: 'refused', person }
  const now = Math.floor(deps.now() / 1000)
  const remaining = Math.max(1, interaction.expiresAt - now)
  if (!(await deps.records.interactions.answer(interaction.id, remaining))) {
    return { kind: 'already-answered' }
  }
  const { issuer, subject, ...identity } = person
  const grant: Grant = {
    id: randomToken(16),
    provider: interaction.provider,
    issuer,
    subject,
    clientHash: interaction.clientHash,
    clientName: interaction.clientName,
    redirectHost: destinationName(interaction.redirectUri),
    resource: resource.audience,
    scopes: interaction.scopes,
    createdAt: now,
    expiresAt: now + deps.grantLifetime,
  }
  await deps.records.grants.create(grant, identity, now)
  const code = randomToken()
  await deps.records.codes.create(sha256(code), {
    grantId: grant.id,
    clientHash: interaction.clientHash,
    redirectUri: interaction.redirectUri,
    codeChallenge: interaction.codeChallenge,
    resource: resource.audience,
    scopes: interaction.scopes,
    issuedAt: now,
  })
  return { kind: 'code', code, user: subjectOf(person) }
}

/**
 * The resource an interaction is about.
 * @throws PageError if it is no longer configured: that changed while the person was on the way
 */
export function resourceOf(interaction: Interaction, resources: ResourceTable): Resource {
  const resource = resources.byAudience(interaction.resource)
  if (resource) return resource
  throw new PageError({
    kind: 'retry',
    title: 'This server is no longer here',
    text: 'The server you wanted to connect to was removed while you were signing in. Ask whoever runs it for its address.',
  })
}

/** Where answers of this redirect URI go, in one word for lists and links. */
export function destinationName(redirectUri: string): string {
  const destination = destinationOf(redirectUri)
  switch (destination.kind) {
    case 'loopback':
      return 'this computer'
    case 'host':
      return destination.host
    case 'app':
      return destination.scheme
  }
}

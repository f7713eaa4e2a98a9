/**
 * Says what a token is good for now (RFC 7662): to the client that it was issued to, and to a protected server that
 * the operator lets ask. Anybody else learns nothing, not even that the token exists (threat T21).
 *
 * @module
 */
import { OAuthError } from '../errors.ts'
import type { Grant, Records } from '../records/records.ts'
import type { ResourceTable } from '../resources/resource-table.ts'
import type { Client } from './clients/client.ts'
import { subjectOf } from './subject.ts'
import type { FindIssuedToken, IssuedToken } from './tokens/issued-tokens.ts'
import { decideRefresh } from './tokens/refresh-rotation.ts'

/** RFC 7662 section 2.2. */
export type Introspection =
  | { readonly active: false }
  | {
      readonly active: true
      readonly token_type?: 'Bearer'
      readonly scope: string
      readonly client_id: string
      readonly sub: string
      readonly aud: string
      readonly iss: string
      /** Seconds since the epoch. */
      readonly iat: number
      readonly exp: number
    }

export interface IntrospectionDeps {
  readonly issuer: string
  readonly findIssued: FindIssuedToken
  readonly records: Records
  readonly resources: ResourceTable
  /** False when the person or program behind the grant is gone for good. */
  readonly personExists: (grant: Grant) => Promise<boolean>
  readonly lifetimes: { readonly refreshGrace: number }
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const INACTIVE: Introspection = { active: false }

/**
 * @param client the authenticated client
 * @throws OAuthError `invalid_client` for a public client: everybody can name its id (RFC 7662 section 2.1)
 */
export async function introspect(
  token: string,
  client: Client,
  deps: IntrospectionDeps,
): Promise<Introspection> {
  if (client.authMethod === 'none') {
    throw new OAuthError('invalid_client', 'introspection needs a client with a secret')
  }
  const issued = await deps.findIssued(token)
  if (!issued || !mayAsk(client, issued, deps.resources)) return INACTIVE
  const { grant } = issued
  // The store may keep a grant for the rest of its last second.
  if (deps.now() >= grant.expiresAt * 1000 || !(await deps.personExists(grant))) return INACTIVE
  return issued.kind === 'access'
    ? describeAccess(issued, deps)
    : describeRefresh(issued, client, deps)
}

/** A protected server learns nothing of refresh tokens: none is meant for it. */
function mayAsk(
  client: Client,
  { kind, grant }: IssuedToken,
  resources: Pick<ResourceTable, 'byAudience'>,
): boolean {
  if (grant.clientHash === client.hash) return true
  const resource = resources.byAudience(grant.resource)
  return (
    kind === 'access' &&
    resource !== undefined &&
    client.introspects?.includes(resource.id) === true
  )
}

function describeAccess(
  { claims }: Extract<IssuedToken, { kind: 'access' }>,
  { issuer }: IntrospectionDeps,
): Introspection {
  const { sub, aud, client_id, scope, iat, exp } = claims
  return {
    active: true,
    token_type: 'Bearer',
    scope,
    client_id,
    sub,
    aud,
    iss: issuer,
    iat,
    exp,
  }
}

/** A refresh token is active if the token endpoint would redeem it now. */
async function describeRefresh(
  { grant, n }: Extract<IssuedToken, { kind: 'refresh' }>,
  client: Client,
  { issuer, records, lifetimes, now }: IntrospectionDeps,
): Promise<Introspection> {
  const state = await records.refresh.find(grant.id)
  if (!state) return INACTIVE
  const seconds = Math.floor(now() / 1000)
  if (decideRefresh(state, n, seconds, lifetimes.refreshGrace).kind === 'revoke') return INACTIVE
  return {
    active: true,
    scope: grant.scopes.join(' '),
    client_id: client.id,
    sub: subjectOf(grant),
    aud: grant.resource,
    iss: issuer,
    iat: grant.createdAt,
    exp: grant.expiresAt,
  }
}

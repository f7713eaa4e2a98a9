/**
 * The facts of a grant that events tell: short ids, by which lines of the log belong together. Pure.
 *
 * @module
 */
import type { Grant } from '../records/records.ts'
import { subjectOf } from './subject.ts'

/** Characters of a grant's id that events show. Tokens of the grant have the rest, so the log names no token. */
const GRANT_CHARACTERS = 10
/** As many as `X-Forwarded-Client` has, so that the logs of servers name the same client. */
const CLIENT_CHARACTERS = 16

/** Where the answer to a device goes, in events and in the grant: it has no address. */
export const DEVICE_DESTINATION = 'a device'

export const shortGrant = (grantId: string): string => grantId.slice(0, GRANT_CHARACTERS)

/** @param clientHash SHA-256 of the client_id; empty for a client that is not known */
export const shortClient = (clientHash: string): string | undefined =>
  clientHash.slice(0, CLIENT_CHARACTERS) || undefined

/** The client of a grant or an interaction, as events name it. */
export const clientFacts = (asked: {
  readonly clientName: string
  readonly clientHash: string
}): { readonly client: string; readonly clientId: string } => ({
  client: asked.clientName,
  clientId: asked.clientHash.slice(0, CLIENT_CHARACTERS),
})

/** The grant itself, its person and its client. */
export function grantFacts(grant: Grant): {
  readonly grant: string
  readonly userId: string
  readonly client: string
  readonly clientId: string
} {
  return { grant: shortGrant(grant.id), userId: subjectOf(grant), ...clientFacts(grant) }
}

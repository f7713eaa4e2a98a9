/**
 * The headers that tell a protected server who is calling (features A5, decision K21). Each allow carries all of them,
 * empty if unknown: a proxy that copies only the headers it gets would otherwise pass on the client's own
 * (GHSA-7r4p-vjf4-gxv4).
 *
 * @module
 */

import type { Caller, Verified } from '../credentials/credential.ts'
import { grantedScopes } from '../oauth/scope.ts'
import { type UserNames, uniqueUser } from '../oauth/user-name.ts'
import type { Resource } from '../resources/resource-table.ts'

/** The default identity headers, each with the value it carries. */
export const IDENTITY_HEADERS: Readonly<Record<string, IdentityValue>> = {
  'X-Forwarded-User': 'user',
  'X-Forwarded-Email': 'email',
  'X-Forwarded-Groups': 'groups',
  'X-Forwarded-Scopes': 'scopes',
  'X-Forwarded-Client': 'client',
  'X-User-Id': 'id',
  'X-User-Name': 'name',
}

/** Reads each value from a caller, encoded for a header. */
const READ_VALUE: Readonly<Record<IdentityValue, (caller: CallerAtResource) => string>> = {
  user: ({ user }) => encodeHeaderValue(user),
  email: ({ person }) => encodeHeaderValue(person.email ?? ''),
  groups: ({ person }) =>
    person.groups.map((group) => encodeHeaderValue(group).replaceAll(',', '%2C')).join(','),
  scopes: ({ scopes }) => encodeHeaderValue(scopes.join(' ')),
  client: ({ clientHash }) => clientHash.slice(0, 16),
  id: ({ sub }) => sub,
  subject: ({ subject = '' }) => encodeHeaderValue(subject),
  assertion: ({ assertion = '' }) => assertion,
  name: ({ person }) => encodeHeaderValue(person.name ?? person.preferredUsername ?? ''),
}

/** A caller, as the server of one resource learns of them. */
export interface CallerAtResource extends Caller {
  /** Names this caller and no other one. */
  readonly user: string
  /** The provider's own id of the person; undefined for programs, whose names it could be confused with. */
  readonly subject?: string | undefined
  /** Our signed word about them, where servers get one. */
  readonly assertion?: string | undefined
}

/** @returns the caller with the scopes that the resource offers, whatever the credential says (threats T47) */
export function callerAt(
  verified: Verified,
  resource: Resource,
  userNames: UserNames,
): CallerAtResource {
  const { person, sub, clientHash, isPerson } = verified
  const offered = verified.isShared
    ? grantedScopes([], resource)
    : // A server could say that it has a scope of another one, only to learn whether the token has it.
      Object.keys(verified.isOfProvider ? resource.configuredScopes : resource.scopes)
  return {
    person,
    sub,
    clientHash,
    subject: isPerson ? person.subject : undefined,
    user: uniqueUser(verified, userNames),
    scopes: verified.scopes.filter((scope) => offered.includes(scope)),
  }
}

/** All configured identity headers as a flat list of names and values, each name once. */
export function identityHeaderLines(
  caller: CallerAtResource,
  headers: Readonly<Record<string, IdentityValue>>,
): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [name, READ_VALUE[value](caller)])
}

/**
 * Percent-encodes the characters that a header cannot carry unchanged: all but printable ASCII, a space at either end,
 * and `%` itself, so that decoding is unambiguous. A person named "Łukasz" must never cause a 500.
 */
function encodeHeaderValue(value: string): string {
  if (/^[\x21-\x24\x26-\x7e](?:[\x20-\x24\x26-\x7e]*[\x21-\x24\x26-\x7e])?$/.test(value))
    return value
  return value
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(/[^\x20-\x24\x26-\x7e]+/gu, encodeURIComponent)
    .replace(/^ +| +$/g, (spaces) => '%20'.repeat(spaces.length))
}

/** A fact about a caller that an identity header can carry. */
export type IdentityValue =
  | 'user'
  | 'email'
  | 'groups'
  | 'scopes'
  | 'client'
  | 'id'
  | 'name'
  | 'subject'
  /** A JWT that says all of it (features A6). */
  | 'assertion'

/** The names of the identity headers, each with the value it carries. */
export type IdentityHeaders = Readonly<Record<string, IdentityValue>>

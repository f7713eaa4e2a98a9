/**
 * The headers that tell a protected server who is calling (features A5, decision K21). Every answer that allows
 * carries every one of them, empty if unknown: a proxy that copies only what it gets would otherwise let the
 * client's own through (GHSA-7r4p-vjf4-gxv4).
 *
 * @module
 */
import type { Identity } from '../providers/provider.ts'

/** Who calls, as a verified credential says it. */
export interface Caller {
  readonly person: Identity
  /** Our own name for the person. */
  readonly sub: string
  readonly scopes: readonly string[]
  /** SHA-256 of the client_id. */
  readonly clientHash: string
}

/** Every identity header and where its value comes from. */
export const IDENTITY_HEADERS: Readonly<Record<string, (caller: Caller) => string>> = {
  'X-Forwarded-User': ({ person, sub }) => displayUser(person, sub),
  'X-Forwarded-Email': ({ person }) => person.email ?? '',
  'X-Forwarded-Groups': ({ person }) =>
    person.groups.map((group) => encodeHeaderValue(group).replaceAll(',', '%2C')).join(','),
  'X-Forwarded-Scopes': ({ scopes }) => scopes.join(' '),
  'X-Forwarded-Client': ({ clientHash }) => clientHash.slice(0, 16),
  'X-User-Id': ({ sub }) => sub,
  'X-User-Name': ({ person }) => person.name ?? person.preferredUsername ?? '',
}

/** The verified e-mail, else a user name that cannot be mistaken for one, else our own name (decision K21). */
function displayUser({ email, preferredUsername }: Identity, sub: string): string {
  if (email !== undefined) return email
  return preferredUsername !== undefined && !preferredUsername.includes('@')
    ? preferredUsername
    : sub
}

/** All identity headers as a flat list of names and values, each name once. */
export function identityHeaderLines(caller: Caller): string[] {
  return Object.entries(IDENTITY_HEADERS).flatMap(([name, read]) => {
    const value = read(caller)
    return [name, name === 'X-Forwarded-Groups' ? value : encodeHeaderValue(value)]
  })
}

/**
 * Percent-encodes what a header cannot carry unharmed: everything but printable ASCII, a space at either end, and
 * `%` itself, so that decoding is unambiguous. A person named "Łukasz" must never be a 500.
 */
export function encodeHeaderValue(value: string): string {
  if (/^[\x21-\x24\x26-\x7e](?:[\x20-\x24\x26-\x7e]*[\x21-\x24\x26-\x7e])?$/.test(value))
    return value
  return value
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(/[^\x20-\x24\x26-\x7e]+/gu, encodeURIComponent)
    .replace(/^ +| +$/g, (spaces) => '%20'.repeat(spaces.length))
}

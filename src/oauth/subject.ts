/**
 * The `sub` that we give a caller. Its prefix keeps people and clients apart (RFC 9700 section 4.15).
 *
 * @module
 */
import { sha256 } from '../crypto.ts'

/** `u_` and the hash of issuer and subject: stable, not an e-mail, the same at every resource (decision K13). */
export function subjectOf(person: { readonly issuer: string; readonly subject: string }): string {
  return `u_${sha256(`${person.issuer}\0${person.subject}`)}`
}

/** `s_` and the hash of a static token's name. */
export function staticSubject(name: string): string {
  return `s_${sha256(name)}`
}

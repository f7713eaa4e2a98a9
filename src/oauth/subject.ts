/**
 * The `sub` that we give a caller. Its prefix keeps people and clients apart (RFC 9700 section 4.15).
 *
 * @module
 */
import { sha256 } from '../crypto.ts'

/** The issuer of programs that act for themselves. No provider has it: theirs are URLs, or built in. */
export const MACHINE_ISSUER = 'urn:gatewarden:machine'

/** True for the account of a program that acts for itself. */
export const isMachine = ({ issuer }: { readonly issuer: string }): boolean =>
  issuer === MACHINE_ISSUER

/**
 * `u_` and the hash of issuer and subject: stable, not an e-mail, the same at every resource (decision K13). `c_` and the
 * hash of its id for a program that acts for itself.
 */
export function subjectOf(person: { readonly issuer: string; readonly subject: string }): string {
  if (isMachine(person)) return `c_${sha256(person.subject)}`
  return `u_${sha256(`${person.issuer}\0${person.subject}`)}`
}

/** `s_` and the hash of a static token's name. */
export function staticSubject(name: string): string {
  return `s_${sha256(name)}`
}

/** `k_` and the hash of an API key's id. */
export function apiKeySubject(id: string): string {
  return `k_${sha256(id)}`
}

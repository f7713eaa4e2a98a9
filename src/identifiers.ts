/**
 * The one normal form of identifiers that are compared "in any case": e-mails, domains, user names (threats T41).
 * Lower-casing touches A to Z alone: Unicode's own rules make a `k` of U+212A, an `s` of U+017F in searches, and an `i`
 * of U+0130, so a stranger's name would pass for a listed one. Domains are compared as A-labels.
 *
 * @module
 */
import { domainToASCII, domainToUnicode } from 'node:url'

const ASCII = /^[\0-\x7f]*$/

/** Lower-cases A to Z, and nothing else. */
export function lowerCase(text: string): string {
  return ASCII.test(text)
    ? text.toLowerCase()
    : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/**
 * A domain that the operator wrote, as A-labels. The operator may use any spelling, so it is mapped (UTS 46).
 * @returns undefined unless `text` is a domain alone
 */
export function writtenDomain(text: string): string | undefined {
  // The URL parser would cut the text at some of these characters, or decode it.
  if (/[\s@*/:,%?#\\[\]<>^|]/.test(text)) return undefined
  const domain = ASCII.test(text) ? text.toLowerCase() : domainToASCII(text)
  return DOMAIN.test(domain) ? domain : undefined
}

const DOMAIN = /^(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

/**
 * A domain that a provider stated, as A-labels. It is never mapped: a domain that normalization changes in anything
 * but A to Z is not the domain that it looks like.
 * @returns undefined for such a domain, which matches nothing
 */
export function statedDomain(text: string): string | undefined {
  if (ASCII.test(text)) return text.toLowerCase()
  const domain = domainToASCII(text)
  return domain !== '' && domainToUnicode(domain) === lowerCase(text) ? domain : undefined
}

/** An e-mail address that the operator wrote, in normal form; undefined unless it has exactly one `@` and a domain. */
export const writtenAddress = (text: string): string | undefined => address(text, writtenDomain)

/**
 * An e-mail address that a provider stated, in normal form.
 * @returns undefined unless it has exactly one `@`: `a@evil.test@good.test` belongs to no domain
 *   (GHSA-c5c4-8r6x-56w3); nor for a domain that would have to be mapped
 */
export const statedAddress = (text: string): string | undefined => address(text, statedDomain)

function address(text: string, read: (domain: string) => string | undefined): string | undefined {
  const at = text.indexOf('@')
  if (at < 1 || at === text.length - 1 || text.includes('@', at + 1)) return undefined
  const domain = read(text.slice(at + 1))
  return domain === undefined ? undefined : `${lowerCase(text.slice(0, at))}@${domain}`
}

/** The name that a person typed to sign in: a user name, or an e-mail address in either spelling of its domain. */
export function loginName(typed: string): string {
  const name = typed.trim()
  return statedAddress(name) ?? lowerCase(name)
}

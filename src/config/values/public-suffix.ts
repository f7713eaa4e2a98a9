/**
 * Domains that belong to nobody: below a public suffix each host may have another owner, and browsers keep no cookie
 * for the suffix itself (RFC 6265 section 5.3).
 *
 * @module
 */
import { getDomain, getPublicSuffix } from 'tldts'

/**
 * True if `domain` (as A-labels) is on the public suffix list: in the part of the registries (`co.uk`), or in the part of
 * companies that give subdomains to strangers (`duckdns.org`, `github.io`). A top-level domain that is not listed is one.
 */
export const isPublicSuffix = (domain: string): boolean =>
  getPublicSuffix(domain, PRIVATE_TOO) === domain

/** The domain right below its public suffix that a host belongs to; the host itself if there is none. */
export const ownedDomainOf = (host: string): string => getDomain(host, PRIVATE_TOO) ?? host

const PRIVATE_TOO = { allowPrivateDomains: true }

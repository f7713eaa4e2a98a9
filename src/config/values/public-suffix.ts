/**
 * Domains that belong to nobody: below a public suffix each host may have another owner, and browsers keep no cookie
 * for the suffix itself (RFC 6265 section 5.3).
 *
 * @module
 */

/** Labels by which registries of countries sort the domains of strangers, as in `co.uk` and `com.au`. */
const CATEGORIES = 'ac|co|com|edu|gov|net|org'
const SUFFIX = new RegExp(`^(?:(?:${CATEGORIES})\\.[a-z]{2}|[a-z0-9-]+)$`)

/**
 * True if `domain` (as A-labels) is a public suffix.
 *
 * Not the public suffix list yet, whose private part (`duckdns.org`) no pattern can tell: only top-level domains and
 * the categories that nearly every country has.
 */
export function isPublicSuffix(domain: string): boolean {
  return SUFFIX.test(domain) && !/^\d+$/.test(domain)
}

/**
 * The domain whose hosts share the session cookie.
 *
 * @module
 */
import { writtenDomain } from '../../identifiers.ts'
import { isUnder } from '../../url/host.ts'
import { InvalidValue, quote } from './problem.ts'
import { isPublicSuffix, ownedDomainOf } from './public-suffix.ts'
import type { PublicUrl } from './urls.ts'

/**
 * A domain as A-labels, without a leading dot, which browsers ignore.
 * @throws InvalidValue unless `value` is a host alone
 */
export function parseCookieDomain(value: string): string {
  const bracketed = /^\[[0-9a-f:.]+\]$/i.test(value) ? value.toLowerCase() : undefined
  const domain = bracketed ?? writtenDomain(value.replace(/^\./, ''))
  if (domain === undefined) {
    throw new InvalidValue(
      `${quote(value)} is not a domain. Write the host alone, without scheme and port, like example.com.`,
    )
  }
  return domain
}

/**
 * Why browsers would refuse the cookie of the gateway: a host can set cookies only for itself and for the domains above
 * it, except for a public suffix.
 * @returns the problem and its fix, or undefined if there is none
 */
export function cookieDomainProblem(domain: string, { host }: PublicUrl): string | undefined {
  const name = host.replace(/:\d+$/, '')
  if (name === domain) return undefined
  const remedy = isAddress(name) ? name : parentOf(name)
  if (!isUnder(host, domain) || isAddress(name)) {
    return `${domain} does not cover ${name}, the host of PUBLIC_URL, which sets the cookie. Write ${remedy}, or move PUBLIC_URL under ${domain}.`
  }
  if (!domain.includes('.')) {
    return `${domain} is a top-level domain, for which browsers accept no cookie. Write ${remedy}.`
  }
  return isPublicSuffix(domain)
    ? `${domain} is a public suffix: no browser keeps a cookie for it. Use ${ownedDomainOf(name)}.`
    : undefined
}

const isAddress = (name: string) => name.startsWith('[') || /^\d+(?:\.\d+){3}$/.test(name)

/** The domain that people most likely mean: the domain above the host, unless that belongs to nobody. */
function parentOf(name: string): string {
  const parent = name.slice(name.indexOf('.') + 1)
  return isPublicSuffix(parent) ? name : parent
}

/**
 * The clients that may register: any, none, or those that redirect to listed hosts and app schemes.
 *
 * @module
 */
import { lowerCase } from '../../identifiers.ts'
import { redirectUriProblem } from '../../oauth/redirect-uri.ts'
import type { Config } from '../config.ts'
import { InvalidValue, quote, type Report } from './problem.ts'
import { urlOf } from './urls.ts'

/** @throws InvalidValue unless `value` is `open`, `off`, a host, or an app scheme followed by a colon */
export function parseRegistrant(value: string): string {
  const registrant = lowerCase(value)
  if (registrant === 'open' || registrant === 'off') return registrant
  if (/^[a-z][a-z0-9+.-]*:$/.test(registrant)) {
    if (registrant === 'https:' || registrant === 'http:') {
      throw new InvalidValue(
        `${quote(value)} allows every web site. Write the hosts, like claude.ai.`,
      )
    }
    const problem = redirectUriProblem(`${registrant}//x`, '')
    if (problem === undefined) return registrant
    throw new InvalidValue(`${quote(value)} is a scheme that no client may use: it ${problem}.`)
  }
  const host = /^[^\s/?#@\\*]+$/.test(registrant) ? hostOf(registrant) : undefined
  if (host === undefined) {
    throw new InvalidValue(
      `${quote(value)} is neither open, off, a host nor the scheme of an app. Write it like claude.ai, localhost or cursor:.`,
    )
  }
  if (isLoopbackHost(host) && registrant !== host.replace(/:\d+$/, '')) {
    throw new InvalidValue(
      `${quote(value)} names a port, but programs on this machine use any port. Write the host without it.`,
    )
  }
  return host
}

const isLoopbackHost = (host: string) => /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host)

function hostOf(text: string): string | undefined {
  const host = urlOf(`https://${text}`)?.host ?? ''
  return HOST.test(host) ? host : undefined
}

/** The host of a redirect URI, as the URL parser writes it. */
const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/

/** The parsed entries as one rule. An empty list lets no client register. */
export function toRegistration(entries: readonly string[], report: Report): Config['registration'] {
  const word = entries.find((entry) => entry === 'open' || entry === 'off')
  if (word !== undefined && entries.length > 1) {
    report.problem(
      'CLIENT_REGISTRATION',
      `${word} cannot stand in a list. Write it alone, or list hosts.`,
    )
  }
  for (const entry of entries.filter(
    (one) => /^[a-z][a-z0-9+-]*$/.test(one) && one !== 'localhost',
  )) {
    if (entry === word) continue
    report.warning(
      'CLIENT_REGISTRATION',
      `${entry} counts as a host. If it is the scheme of an app, write ${entry}: with a colon.`,
    )
  }
  if (word === 'open' || word === 'off') return word
  return entries.length === 0 ? 'off' : entries
}

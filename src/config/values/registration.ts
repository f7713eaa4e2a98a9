/**
 * The clients that may register: any, none, or those that redirect to listed hosts and app schemes.
 *
 * @module
 */
import { lowerCase } from '../../identifiers.ts'
import { isDangerousScheme } from '../../oauth/app-schemes.ts'
import type { Config } from '../config.ts'
import { InvalidValue, quote, type Report } from './problem.ts'
import { urlOf } from './urls.ts'

/** The words that people write for `open` and `off`. As hosts, these words would let no client register. */
const WORDS: Readonly<Record<string, 'open' | 'off'>> = {
  ...{
    on: 'open',
    true: 'open',
    yes: 'open',
    all: 'open',
    any: 'open',
    enabled: 'open',
    '*': 'open',
  },
  ...{ false: 'off', no: 'off', none: 'off', closed: 'off', disabled: 'off', never: 'off' },
}

/** @throws InvalidValue unless `value` is `open`, `off`, a host, or an app scheme followed by a colon */
export function parseRegistrant(value: string): string {
  const registrant = lowerCase(value)
  if (registrant === 'open' || registrant === 'off') return registrant
  const meant = Object.hasOwn(WORDS, registrant) ? WORDS[registrant] : undefined
  if (meant !== undefined) {
    throw new InvalidValue(`${quote(value)} would be a host. Write ${meant}.`)
  }
  if (/^[a-z][a-z0-9+.-]*:$/.test(registrant)) {
    if (registrant === 'https:' || registrant === 'http:') {
      throw new InvalidValue(
        `${quote(value)} allows every web site. Write the hosts, like claude.ai.`,
      )
    }
    if (!isDangerousScheme(registrant.slice(0, -1))) return registrant
    throw new InvalidValue(
      `${quote(value)} is a scheme that browsers or systems use themselves, so no client may have it. Remove it.`,
    )
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
  const schemes = entries.filter((entry) => entry.endsWith(':'))
  const others = entries.filter((entry) => entry !== word && !entry.endsWith(':'))
  if (entries.length === 0) {
    report.warning(
      'CLIENT_REGISTRATION',
      'lists nothing, so no client may register. Write off to say so, or remove it to let any register.',
    )
  }
  if (word === 'off' && entries.length > 1) {
    report.problem('CLIENT_REGISTRATION', 'off cannot stand in a list. Write it alone.')
  } else if (word === 'open' && others.length > 0) {
    report.problem(
      'CLIENT_REGISTRATION',
      'open lets clients of every host register, so a host beside it says nothing. Remove open or the hosts; app schemes may stay.',
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
  if (word === 'off' || (word === 'open' && schemes.length === 0)) return word
  return entries.length === 0 ? 'off' : entries
}

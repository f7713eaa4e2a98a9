/**
 * Reads settings from an environment. Other programs use it, too, so only an unknown name that is close to a setting is
 * reported.
 *
 * @module
 */

import type { Report } from '../values/problem.ts'
import { nearest } from '../values/suggest.ts'
import type { Entry } from './layer.ts'
import { knownNames, meaningOf } from './names.ts'

/** Similar names of other programs: CGI's client address, and the log level of log4j and the like. */
const NOT_OURS = new Set(['CLIENT_IP', 'LOGLEVEL'])
/** A name one letter off, or the singular of a list, is mistyped; two letters off, it may be another program's. */
const MISTYPED = 1
/** Settings that restrict access: without them more is open than intended, so any similar name stops the start. */
const RESTRICTING = [
  'ALLOWED_ORIGINS',
  'CLIENT_REGISTRATION',
  'GOOGLE_HOSTED_DOMAIN',
  'PROD_MODE',
  'REVOKE_BEFORE',
  'TRUSTED_PROXIES',
]

/** An empty value counts as unset: Compose passes absent variables as empty ones. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  report: Report,
): readonly Entry[] {
  const entries: Entry[] = []
  for (const [written, value] of Object.entries(env)) {
    if (value === undefined || value.trim() === '') continue
    const meaning = meaningOf(written)
    if (meaning) entries.push({ written, meaning, value })
    else if (written.length >= 6 && !NOT_OURS.has(written)) {
      const meant = nearest(written, knownNames, MISTYPED) ?? nearest(written, RESTRICTING)
      const like = meant ?? nearest(written, knownNames)
      if (meant !== undefined) {
        report.problem(written, `is not a setting. Did you mean ${meant}? If not, rename it.`)
      } else if (like !== undefined) {
        report.warning(written, `is not a setting. Did you mean ${like}?`)
      }
    }
  }
  return entries
}

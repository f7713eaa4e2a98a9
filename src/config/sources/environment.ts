/**
 * Reads settings from an environment. Others live there too, so only a near miss of one of our names is worth a word.
 *
 * @module
 */

import type { Report } from '../values/problem.ts'
import { nearest } from '../values/suggest.ts'
import type { Entry } from './layer.ts'
import { knownNames, meaningOf } from './names.ts'

/** Near misses that belong to others: CGI's client address, and the level of log4j and its kin. */
const NOT_OURS = new Set(['CLIENT_IP', 'LOGLEVEL'])
/** A name one letter off, or the singular of a list, is ours mistyped; two letters off, it may well be another's. */
const MISTYPED = 1
/** Without these more is open than somebody wanted: anything like them stops the start. */
const NARROWING = [
  'ALLOWED_ORIGINS',
  'CLIENT_REGISTRATION',
  'GOOGLE_HOSTED_DOMAIN',
  'PROD_MODE',
  'REVOKE_BEFORE',
  'TRUSTED_PROXIES',
]

/** An empty value counts as unset, as Compose writes variables that are not there. */
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
      const meant = nearest(written, knownNames, MISTYPED) ?? nearest(written, NARROWING)
      const like = meant ?? nearest(written, knownNames)
      if (meant !== undefined) {
        report.problem(written, `is not a setting. Did you mean ${meant}? Else rename it.`)
      } else if (like !== undefined) {
        report.warning(written, `is not a setting. Did you mean ${like}?`)
      }
    }
  }
  return entries
}

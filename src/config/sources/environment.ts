/**
 * Reads settings from an environment. Other programs use it, too, so only an unknown name that is close to a setting is
 * reported.
 *
 * @module
 */

import { attempt, type Report } from '../values/problem.ts'
import { nearest } from '../values/suggest.ts'
import { reportForeign } from './foreign-names.ts'
import type { Entry } from './layer.ts'
import { knownNames, meaningOf } from './names.ts'
import { nameBeside, translate, valueOfAlias, withRedisPassword } from './other-systems.ts'
import { isServiceLink } from './service-links.ts'

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
  'REQUIRED_SCOPES',
  'REVOKE_BEFORE',
  'TRUSTED_PROXIES',
]
/** Names of this program in front of a setting, as other programs want it. */
const PREFIX = /^(?:GATEWARDEN|GW)_/i
/** The end of a setting's name that is too short to be certain: other programs have a `MODE` or a `DOMAIN`, too. */
const SHORT_TAIL = 6

/**
 * An empty value counts as unset: Compose passes absent variables as empty ones.
 * @param everywhere the variables of all places, this one included
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  report: Report,
  everywhere = env,
): readonly Entry[] {
  const entries: Entry[] = []
  for (const [written, value] of Object.entries(withRedisPassword(env, { everywhere, report }))) {
    if (value === undefined || value.trim() === '') continue
    const name = nameBeside(written, everywhere)
    const found = meaningOf(name)
    // An alias of its own: the same name twice would be a conflict.
    const meaning =
      found?.kind === 'setting' && name !== written ? { ...found, label: written } : found
    if (isServiceLink(written, value)) {
      if (!meaning) continue
      report.warning(
        written,
        'is ignored: Kubernetes made it for a Service of that name. Set enableServiceLinks: false for this pod.',
      )
    } else if (meaning) entries.push({ written, meaning, value: valueOfAlias(written, value) })
    else if (addTranslated({ written, value, entries, report })) continue
    else if (reportForeign(written, report)) continue
    else if (PREFIX.test(written)) reportPrefix(written, report)
    else if (RESTRICTING.some((name) => name.endsWith(`_${written}`))) reportTail(written, report)
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

/** @returns false if no setting of ours means the same */
function addTranslated(parts: {
  readonly written: string
  readonly value: string
  readonly entries: Entry[]
  readonly report: Report
}): boolean {
  const { written, value, entries, report } = parts
  // A value with a problem of its own is none of the names that get a line.
  const translated = attempt(report, written, () => ({ ours: translate(written, value) }))
  if (!translated) return true
  for (const { name, value: ours } of translated.ours ?? []) {
    const meaning = meaningOf(name)
    if (meaning?.kind === 'setting') {
      // The label is the other system's name, so our own setting wins over it.
      entries.push({ written, meaning: { ...meaning, label: written }, value: ours })
    }
  }
  return translated.ours !== undefined
}

function reportPrefix(written: string, report: Report): void {
  const bare = written.replace(PREFIX, '').toUpperCase()
  // Only a flag names the file.
  const write = bare === 'CONFIG' ? '--config FILE' : undefined
  const meant = write ?? (meaningOf(bare) ? bare : nearest(bare, knownNames))
  report.problem(
    written,
    meant === undefined
      ? 'is not a setting. Remove or rename it; docs/configuration.md lists all settings.'
      : `is not a setting: names of settings have no prefix. Write ${meant}.`,
  )
}

function reportTail(written: string, report: Report): void {
  const meant = RESTRICTING.find((name) => name.endsWith(`_${written}`))
  const text = `is not a setting. Did you mean ${meant}?`
  if (written.length <= SHORT_TAIL) report.warning(written, text)
  else report.problem(written, `${text} If not, rename it.`)
}

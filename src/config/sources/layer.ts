/**
 * One place that settings come from: the flags, the environment, `.env` or the file.
 *
 * @module
 */

import type { SettingKey } from '../schema.ts'
import type { Report } from '../values/problem.ts'
import type { Meaning } from './names.ts'
import type { Retired } from './retired.ts'

type SettingName = Extract<Meaning, { kind: 'setting' }>

/** A value as somebody gave it. */
export interface Given extends SettingName {
  /** How problems call it: the name that was used, without `_FILE`. */
  readonly written: string
  readonly value: unknown
}

/** A place, and what was given there: the strongest name of each setting only. */
export interface Layer {
  /** `flag`, `environment`, `.env` or the name of the file. */
  readonly from: string
  readonly given: ReadonlyMap<SettingKey, Given>
  readonly retired: readonly Retired[]
}

/** A name and its value as they stand in some place. */
export interface Entry {
  /** As people wrote it there: `--port`, `PORT`, `port`, `allow.emails`. */
  readonly written: string
  readonly meaning: Meaning
  readonly value: unknown
}

/** Sorts entries into a layer: sets aside what has no meaning any more, and refuses two names for one setting. */
export function createLayer(from: string, entries: readonly Entry[], report: Report): Layer {
  const given = new Map<SettingKey, Given>()
  const retired: Retired[] = []
  for (const { written, meaning, value } of entries) {
    if (meaning.kind === 'retired') {
      retired.push({ written, instead: meaning.instead })
    } else {
      const label = written.includes('.') ? written : meaning.label
      const now: Given = { ...meaning, label, written, value }
      const other = given.get(meaning.setting.key)
      given.set(meaning.setting.key, other ? stronger(other, now, report) : now)
    }
  }
  return { from, given, retired }
}

function stronger(a: Given, b: Given, report: Report): Given {
  if (a.label === b.label || a.label.includes('.') || b.label.includes('.')) {
    report.problem(a.written, `stands beside ${b.written}. Remove one of the two.`)
    return a
  }
  const [kept, left] = a.label === a.setting.name ? [a, b] : [b, a]
  report.warning(left.written, `has no effect, because ${kept.written} is set too.`)
  return kept
}

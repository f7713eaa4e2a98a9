/**
 * This folder owns the flags, the environment, `.env` and the file, and decides which of them wins. It does not know
 * what a value means.
 *
 * A layer is a place that settings come from, with the settings given there.
 *
 * @module
 */

import type { SettingKey } from '../schema.ts'
import type { Report } from '../values/problem.ts'
import type { Meaning } from './names.ts'
import type { Retired } from './retired.ts'

type SettingName = Extract<Meaning, { kind: 'setting' }>

/** A setting as given, still unparsed. */
export interface Given extends SettingName {
  /** The name as it was written, `_FILE` included. */
  readonly written: string
  readonly value: unknown
}

/** A place, and the settings given there, each under one name only. */
export interface Layer {
  /** `flag`, `environment`, `.env` or the name of the file. */
  readonly from: string
  readonly given: ReadonlyMap<SettingKey, Given>
  readonly retired: readonly Retired[]
}

/** A name and its value as given in a place. */
export interface Entry {
  /** As people wrote it there: `--port`, `PORT`, `port`, `allow.emails`. */
  readonly written: string
  readonly meaning: Meaning
  readonly value: unknown
}

/** Sorts entries into a layer: separates retired names, and refuses or ignores a second name for a setting. */
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
      given.set(meaning.setting.key, other ? chooseOne(other, now, report) : now)
    }
  }
  return { from, given, retired }
}

/** The setting's own name wins over an alias. A value beside its `_FILE`, or two places in the file, are a problem. */
function chooseOne(a: Given, b: Given, report: Report): Given {
  if (a.label === b.label || a.label.includes('.') || b.label.includes('.')) {
    report.problem(a.written, `conflicts with ${b.written}. Remove one of the two.`)
    return a
  }
  const [kept, ignored] = a.label === a.setting.name ? [a, b] : [b, a]
  // A name of another system may mean several settings, of which this is one.
  const { name, aliases = [] } = ignored.setting
  const part = [name, ...aliases].includes(ignored.label) ? '' : ` on ${name}`
  report.warning(ignored.written, `has no effect${part}, because ${kept.written} is set too.`)
  return kept
}

/**
 * Reads the command line: `--public-url x`, `--public-url=x`, and mcpauth's `-oauthDomain x`.
 *
 * @module
 */

import { toggle } from '../values/fields.ts'
import type { Report } from '../values/problem.ts'
import { didYouMean } from '../values/suggest.ts'
import type { Entry } from './layer.ts'
import { flagOf, knownFlags, meaningOfFlag, nameOfFlag } from './names.ts'

export interface Flags {
  readonly entries: readonly Entry[]
  /** The file that `--config` names. */
  readonly configFile?: string
}

/** No problem repeats a value: a secret may follow a mistyped flag. */
export function readFlags(argv: readonly string[], report: Report): Flags {
  const entries: Entry[] = []
  const seen = new Set<string>()
  let configFile: string | undefined
  for (let index = 0; index < argv.length; index++) {
    const parts = /^(--?([A-Za-z][\w-]*))(?:=(.*))?$/s.exec(argv[index] ?? '')
    if (!parts) {
      report.problem(
        `argument ${index + 1}`,
        'is neither a flag nor the value of one. See gatewarden --help.',
      )
      continue
    }
    const [, written = '', flag = ''] = parts
    const name = nameOfFlag(flag)
    const meaning = meaningOfFlag(name)
    if (!meaning && name !== 'CONFIG') {
      report.problem(
        written,
        `is not a flag. ${didYouMean(flagOf(name), ['--config', ...knownFlags], 'See gatewarden --help.')}`,
      )
      // Skip the value of the unknown flag, if it has one.
      if (parts[3] === undefined && !argv[index + 1]?.startsWith('-')) index++
      continue
    }
    let value = parts[3]
    if (value === undefined && meaning && isSwitch(meaning)) value = 'true'
    if (value === undefined && index + 1 < argv.length && !isKnownFlag(argv[index + 1])) {
      value = argv[++index]
    }
    const earlier = meaning && repeated(meaning, entries)
    if (value === undefined || value === '') {
      report.problem(written, `has no value. Write ${written} VALUE.`)
    } else if (earlier) {
      entries[entries.indexOf(earlier)] = { ...earlier, value: `${earlier.value}\n${value}` }
    } else if (seen.has(name)) {
      report.problem(written, 'is given twice. Remove one.')
    } else if (meaning?.kind === 'setting' && meaning.standsFor !== undefined) {
      const { data: isOn } = toggle().safeParse(value)
      if (isOn === undefined)
        report.problem(written, 'must be true or false. Write one of the two.')
      if (isOn) entries.push({ written, meaning, value: meaning.standsFor })
    } else if (meaning) {
      entries.push({ written, meaning, value })
    } else {
      configFile = value
    }
    seen.add(name)
  }
  return { entries, ...(configFile !== undefined && { configFile }) }
}

/** The entry that another flag of the same meaning adds a line to. */
function repeated(meaning: Entry['meaning'], entries: readonly Entry[]): Entry | undefined {
  if (meaning.kind !== 'setting' || !meaning.setting.repeats || meaning.file) return undefined
  return entries.find(
    (entry) =>
      entry.meaning.kind === 'setting' &&
      entry.meaning.setting === meaning.setting &&
      !entry.meaning.file,
  )
}

function isSwitch(meaning: Entry['meaning']): boolean {
  if (meaning.kind !== 'setting' || meaning.file) return false
  return meaning.setting.kind === 'switch' || meaning.standsFor !== undefined
}

/** A value may start with a dash, but a known flag is never a value. */
function isKnownFlag(argument: string | undefined): boolean {
  const parts = /^--?([A-Za-z][\w-]*)(?:=.*)?$/s.exec(argument ?? '')
  const name = nameOfFlag(parts?.[1] ?? '')
  return name === 'CONFIG' || meaningOfFlag(name) !== undefined
}

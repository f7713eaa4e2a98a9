/**
 * Every name that a value can have, and its meaning: our own names, and the retired names of mcpauth.
 *
 * @module
 */

import { type Setting, settings } from '../schema.ts'
import { RETIRED, RETIRED_SWITCHES } from './retired.ts'

/** The meaning of a name in upper case (`PUBLIC_URL`). */
export type Meaning =
  | {
      readonly kind: 'setting'
      readonly setting: Setting
      /** The name of the setting, its own or an alias, without `_FILE`. */
      readonly label: string
      /** True for `NAME_FILE`: the value is a path. */
      readonly file: boolean
    }
  | { readonly kind: 'retired'; readonly isSwitch: boolean; readonly instead: string }

const meanings = new Map<string, Meaning>()
for (const setting of settings) {
  for (const label of [setting.name, ...(setting.aliases ?? [])]) {
    meanings.set(label, { kind: 'setting', setting, label, file: false })
    if (setting.secret)
      meanings.set(`${label}_FILE`, { kind: 'setting', setting, label, file: true })
  }
}

const flagNames = new Map<string, Meaning>(
  settings.flatMap((setting) =>
    (setting.flags ?? []).map((flag): [string, Meaning] => [
      flag,
      { kind: 'setting', setting, label: setting.name, file: false },
    ]),
  ),
)

const retiredFlags = new Map<string, Meaning>(
  Object.entries(RETIRED).map(([name, instead]) => [
    name,
    { kind: 'retired', isSwitch: RETIRED_SWITCHES.has(name), instead },
  ]),
)

/** The meaning of a name in the environment, or of a name in the file in upper case. */
export function meaningOf(name: string): Meaning | undefined {
  return meanings.get(name)
}

/** The meaning of a flag. */
export function meaningOfFlag(name: string): Meaning | undefined {
  return meanings.get(name) ?? flagNames.get(name) ?? retiredFlags.get(name)
}

/** Every name of a setting, for suggestions. */
export const knownNames: readonly string[] = [...meanings.keys()]

/** Every name of a flag, for suggestions. */
export const knownFlags: readonly string[] = [...knownNames, ...flagNames.keys()].map(flagOf)

/** `--public-url`. */
export function flagOf(name: string): string {
  return `--${name.toLowerCase().replaceAll('_', '-')}`
}

/** The name of a flag in either spelling: `public-url`, or mcpauth's `oauthDomain` and `clientID`. */
export function nameOfFlag(flag: string): string {
  return flag
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase()
}

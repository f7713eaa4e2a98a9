/**
 * Every name that can stand in front of a value, and what it means: ours, and those of S0 that mean nothing any more.
 *
 * @module
 */

import { type Setting, settings } from '../schema.ts'
import { RETIRED, RETIRED_SWITCHES } from './retired.ts'

/** What a name in upper case (`PUBLIC_URL`) stands for. */
export type Meaning =
  | {
      readonly kind: 'setting'
      readonly setting: Setting
      /** Which name of the setting it is, without `_FILE`. */
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

const retiredFlags = new Map<string, Meaning>(
  Object.entries(RETIRED).map(([name, instead]) => [
    name,
    { kind: 'retired', isSwitch: RETIRED_SWITCHES.has(name), instead },
  ]),
)

/** What a name in the environment or the file (there in lower case) means. */
export function meaningOf(name: string): Meaning | undefined {
  return meanings.get(name) ?? (name === 'PROTECTED_PATH' ? retiredFlags.get(name) : undefined)
}

/** What a flag means. */
export function meaningOfFlag(name: string): Meaning | undefined {
  return meanings.get(name) ?? retiredFlags.get(name)
}

/** Every name with a meaning, for suggestions. */
export const knownNames: readonly string[] = [...meanings.keys()]

/** `--public-url`. */
export function flagOf(name: string): string {
  return `--${name.toLowerCase().replaceAll('_', '-')}`
}

/** The name a flag stands for in either spelling: `public-url`, or S0's `oauthDomain` and `clientID`. */
export function nameOfFlag(flag: string): string {
  return flag
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase()
}

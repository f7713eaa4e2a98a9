/**
 * Every name that a value can have, and its meaning: our own names, and the retired names of mcpauth.
 *
 * @module
 */

import { type Setting, settings } from '../schema.ts'
import { RETIRED } from './retired.ts'

/** The meaning of a name in upper case (`PUBLIC_URL`). */
export type Meaning =
  | {
      readonly kind: 'setting'
      readonly setting: Setting
      /** The name of the setting, its own or an alias, without `_FILE`. */
      readonly label: string
      /** True for `NAME_FILE`: the value is a path. */
      readonly file: boolean
      /** For a flag without a value: the value of the setting that it stands for. */
      readonly standsFor?: string
    }
  | { readonly kind: 'retired'; readonly instead: string }

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

/**
 * Flags of mcpauth's first versions, each with the name that the same setting has in its later ones: `-baseDomain` is the
 * host of the login, and `-path` is the address of the check.
 */
const OLDER_FLAGS: Readonly<Record<string, string>> = {
  BASE_DOMAIN: 'OAUTH_DOMAIN',
  PATH: 'PROTECTED_PATH',
  DEV: 'DEV_MODE',
}
for (const [flag, name] of Object.entries(OLDER_FLAGS)) {
  const meaning = meanings.get(name)
  if (meaning) flagNames.set(flag, meaning)
}
const provider = meanings.get('PROVIDER')
if (provider?.kind === 'setting') {
  // With this flag mcpauth asks no provider, whatever client it is given.
  flagNames.set('USE_INTERNAL_AUTH', { ...provider, standsFor: 'builtin' })
}

const retiredFlags = new Map<string, Meaning>(
  Object.entries(RETIRED).map(([name, instead]) => [name, { kind: 'retired', instead }]),
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

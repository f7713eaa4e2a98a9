/**
 * Every name that can stand in front of a value, and what it means: ours, those of settings that this version does
 * not have, and those of S0 that mean nothing any more.
 *
 * @module
 */
import { type Setting, settings } from './schema.ts'

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
  | { readonly kind: 'unbuilt'; readonly isSwitch: boolean }
  | { readonly kind: 'retired'; readonly isSwitch: boolean; readonly instead: string }

/** Settings that other versions have; given here they are refused, never ignored. */
const UNBUILT = [
  'REDIS_URL',
  'COOKIE_DOMAIN',
  'GOOGLE_CLIENT_ID',
  'GOOGLE_CLIENT_SECRET',
  'STATIC_BEARER_TOKENS',
  'AUTHORIZATION_BEARER_TOKEN',
  'SESSION_LIFETIME',
  'SESSION_IDLE',
  'MAX_STALE',
]
const UNBUILT_SECRETS = ['GOOGLE_CLIENT_SECRET', 'STATIC_BEARER_TOKENS']
const UNBUILT_SWITCHES = ['ENABLE_EDGE_AUTH', 'ACCEPT_PROVIDER_TOKENS']

const USERS_INSTEAD =
  'list people under users in gatewarden.yaml, with hashes from gatewarden hash-password'

/** S0's flags without a meaning here. Of the environment only `PROTECTED_PATH` was S0's alone. */
const RETIRED: Readonly<Record<string, string>> = {
  PROTECTED_PATH: 'the check is at /auth for every path; list the servers in RESOURCES',
  PATH: 'the check is at /auth for every path; list the servers in RESOURCES',
  BASE_DOMAIN: 'set PUBLIC_URL',
  ADMIN_USERNAME: USERS_INSTEAD,
  ADMIN_EMAIL: USERS_INSTEAD,
  ADMIN_PASSWORD: USERS_INSTEAD,
}

const meanings = new Map<string, Meaning>()
for (const setting of settings) {
  for (const label of [setting.name, ...(setting.aliases ?? [])]) {
    meanings.set(label, { kind: 'setting', setting, label, file: false })
    if (setting.secret)
      meanings.set(`${label}_FILE`, { kind: 'setting', setting, label, file: true })
  }
}
for (const name of [...UNBUILT, ...UNBUILT_SECRETS.map((secret) => `${secret}_FILE`)]) {
  meanings.set(name, { kind: 'unbuilt', isSwitch: false })
}
for (const name of UNBUILT_SWITCHES) meanings.set(name, { kind: 'unbuilt', isSwitch: true })

const retiredFlags = new Map<string, Meaning>(
  Object.entries(RETIRED).map(([name, instead]) => [
    name,
    { kind: 'retired', isSwitch: false, instead },
  ]),
)
retiredFlags.set('USE_INTERNAL_AUTH', {
  kind: 'retired',
  isSwitch: true,
  instead: 'the built-in login is the default',
})

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

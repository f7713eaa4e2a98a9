/**
 * The settings that a single provider has, a file and a line each. The table of all settings takes them from here, and
 * beside another provider each of them is a problem.
 *
 * @module
 */
import { entra } from './only-entra.ts'
import { github } from './only-github.ts'
import { google } from './only-google.ts'
import { keycloak } from './only-keycloak.ts'

/** By the value of `PROVIDER`. */
export const OF_PROVIDER = { google, github, entra, keycloak } as const

/** Those that `providers` in the file can hold: Keycloak's say the same as `issuer_url` there. */
export const SECTION_SETTINGS = { ...google, ...github, ...entra }

/** All of them, in the order of the reference. */
export const PROVIDER_SETTINGS = { ...SECTION_SETTINGS, ...keycloak }

/** The names of the settings of a provider: `Object.keys` has no type for the keys of what it is given. */
export const keysOf = <Shape extends object>(shape: Shape): readonly (keyof Shape)[] =>
  Object.keys(shape) as (keyof Shape)[]

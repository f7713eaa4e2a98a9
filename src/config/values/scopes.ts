/**
 * The scopes a resource offers, demands and grants when none is asked for (decision K17).
 *
 * @module
 */
import { OFFLINE_ACCESS } from '../../oauth/scope.ts'
import { InvalidValue, quote } from './problem.ts'

/** What a resource says about scopes, or the settings for all of them. */
export interface ScopeSettings {
  readonly offered?: Readonly<Record<string, string>> | undefined
  readonly required?: readonly string[] | undefined
  readonly default?: readonly string[] | undefined
}

export interface ResolvedScopes {
  readonly scopes: Readonly<Record<string, string>>
  readonly requiredScopes: readonly string[]
  readonly defaultScopes: readonly string[]
}

/** @throws InvalidValue unless `value` is a scope-token of RFC 6749 section 3.3 that a resource can own */
export function parseScopeToken(value: string): string {
  if (!/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not a scope. Use printable ASCII without spaces, quotes and backslashes, at most 128 characters.`,
    )
  }
  if (value === OFFLINE_ACCESS) {
    throw new InvalidValue(
      'offline_access is no scope of a server: it only asks to stay signed in, and is always accepted. Leave it out.',
    )
  }
  return value
}

/** Scopes that nobody described, with a sentence made from their names. */
export function describeScopes(scopes: readonly string[]): Record<string, string> {
  return Object.fromEntries(scopes.map((scope) => [scope, `Use "${scope}"`]))
}

/**
 * A resource's own word first, else the global one. Nothing said anywhere is one scope, `mcp`.
 * @returns the scopes, and those of `required` and `default` that are not on offer
 */
export function resolveScopes(
  own: ScopeSettings,
  global: ScopeSettings,
): ResolvedScopes & { readonly unknown: { required: string[]; default: string[] } } {
  const requiredScopes = own.required ?? global.required ?? []
  const asked = own.default ?? []
  const named = [...new Set([...requiredScopes, ...asked])]
  const implied = named.length > 0 ? describeScopes(named) : { mcp: 'Use this server' }
  const scopes = own.offered ?? global.offered ?? implied
  const missing = (names: readonly string[]) => names.filter((name) => !Object.hasOwn(scopes, name))
  return {
    scopes,
    requiredScopes,
    defaultScopes:
      [asked, requiredScopes, Object.keys(scopes)].find((names) => names.length > 0) ?? [],
    unknown: { required: missing(requiredScopes), default: missing(asked) },
  }
}

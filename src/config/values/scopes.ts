/**
 * The scopes that a resource offers, requires, and grants if a client requests none (decision K17).
 *
 * @module
 */
import { isScopeToken, OFFLINE_ACCESS } from '../../oauth/scope.ts'
import { InvalidValue, quote } from './problem.ts'

/** The scope settings of a resource, or those for all resources. */
export interface ScopeSettings {
  readonly offered?: Readonly<Record<string, string>> | undefined
  readonly required?: readonly string[] | undefined
  readonly default?: readonly string[] | undefined
}

export interface ResolvedScopes {
  readonly scopes: Readonly<Record<string, string>>
  readonly requiredScopes: readonly string[]
  readonly defaultScopes: readonly string[]
  /** Present if no setting lists the scopes: those that other settings name. */
  readonly scopesBeside?: Readonly<Record<string, string>>
}

/** @throws InvalidValue unless `value` is a scope-token (RFC 6749 section 3.3) that a resource can own */
export function parseScopeToken(value: string): string {
  const scope = parseProviderScope(value)
  if (scope === OFFLINE_ACCESS) {
    throw new InvalidValue(
      'offline_access is not a scope of a server: clients request it to stay signed in, and it is always accepted. Leave it out.',
    )
  }
  return scope
}

/** @throws InvalidValue unless `value` is a scope-token, which may be `offline_access`: the provider decides about it */
export function parseProviderScope(value: string): string {
  if (isScopeToken(value)) return value
  throw new InvalidValue(
    `${quote(value)} is not a scope. Use printable ASCII without spaces, quotes and backslashes, at most 128 characters.`,
  )
}

/** Describes scopes that have no description, by a sentence made from their names. */
export function describeScopes(scopes: readonly string[]): Record<string, string> {
  return Object.fromEntries(scopes.map((scope) => [scope, `Use "${scope}"`]))
}

/**
 * Takes each setting from the resource, else the global one. If no setting names a scope, the resource offers `mcp`.
 * @returns the scopes, and as `unknown` the required and default scopes that the resource does not offer
 */
export function resolveScopes(
  own: ScopeSettings,
  global: ScopeSettings,
): ResolvedScopes & { readonly unknown: { required: string[]; default: string[] } } {
  const requiredScopes = own.required ?? global.required ?? []
  const preferred = own.default ?? []
  const named = [...new Set([...requiredScopes, ...preferred])]
  const implied = named.length > 0 ? describeScopes(named) : { mcp: 'Use this server' }
  const listed = own.offered ?? global.offered
  const scopes = listed ?? implied
  const missing = (names: readonly string[]) => names.filter((name) => !Object.hasOwn(scopes, name))
  return {
    scopes,
    requiredScopes,
    ...(!listed && { scopesBeside: describeScopes(named) }),
    defaultScopes:
      [preferred, requiredScopes, Object.keys(scopes)].find((names) => names.length > 0) ?? [],
    unknown: { required: missing(requiredScopes), default: missing(preferred) },
  }
}

/** Splits scopes as OAuth writes them, with spaces, or with commas as other lists. */
export const splitScopes = (text: string): string[] => text.split(/[\s,]+/)

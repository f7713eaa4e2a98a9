/**
 * Computes the scopes that a request is granted (decision K17). Pure.
 *
 * @module
 */
import { OAuthError } from '../errors.ts'

/** Asks for a refresh token; not a scope of any resource (MCP 2026-07-28, SEP-2207). */
export const OFFLINE_ACCESS = 'offline_access'

const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/

/** True for a scope-token (RFC 6749 section 3.3) of at most 128 characters. */
export const isScopeToken = (value: string): boolean => SCOPE_TOKEN.test(value)

/** The scope settings of a resource. */
export interface ScopeRules {
  readonly scopes: Readonly<Record<string, string>>
  readonly requiredScopes: readonly string[]
  readonly defaultScopes: readonly string[]
}

/** The scope values of a `scope` parameter, without repetition (RFC 6749 section 3.3). */
export function parseScope(scope: string | undefined): string[] {
  return [...new Set((scope ?? '').split(' ').filter((value) => value !== ''))]
}

/**
 * The scopes to grant: the requested ones that the resource knows, or its default ones if none is left; always its
 * required ones. `offline_access` is kept if it was requested.
 */
export function grantedScopes(requested: readonly string[], rules: ScopeRules): string[] {
  const known = requested.filter((scope) => Object.hasOwn(rules.scopes, scope))
  const granted = new Set([
    ...rules.requiredScopes,
    ...(known.length > 0 ? known : rules.defaultScopes),
  ])
  if (requested.includes(OFFLINE_ACCESS)) granted.add(OFFLINE_ACCESS)
  return [...granted]
}

/** True if scopes were requested and the resource has none of them. */
export function asksOnlyUnknown(
  requested: readonly string[],
  { scopes }: Pick<ScopeRules, 'scopes'>,
): boolean {
  const named = requested.filter((scope) => scope !== OFFLINE_ACCESS)
  return named.length > 0 && !named.some((scope) => Object.hasOwn(scopes, scope))
}

/**
 * The granted scopes, reduced to those that the client may have.
 * @param limit all scopes that the client may have, besides `offline_access`; undefined: no limit
 * @throws OAuthError `invalid_scope` if nothing is left, or less than the resource requires
 */
export function limitedScopes(
  granted: readonly string[],
  limit: readonly string[] | undefined,
  rules: Pick<ScopeRules, 'requiredScopes'>,
): string[] {
  if (limit === undefined) return [...granted]
  const left = granted.filter((scope) => limit.includes(scope) || scope === OFFLINE_ACCESS)
  const useful = left.some((scope) => scope !== OFFLINE_ACCESS)
  if (!useful || !rules.requiredScopes.every((scope) => left.includes(scope))) {
    throw new OAuthError('invalid_scope', 'this client may not have the scopes that are needed')
  }
  return left
}

/** The scopes that a challenge and the resource metadata name: those needed for basic use. */
export function advertisedScopes(rules: ScopeRules): readonly string[] {
  return rules.requiredScopes.length > 0 ? rules.requiredScopes : rules.defaultScopes
}

/**
 * The scopes of a refreshed token: the requested ones, or all of the grant. As at the authorization endpoint, scopes that
 * the resource does not have are dropped, and if nothing is left, it is as if none had been requested.
 * @param offered the scopes of the resource
 * @throws OAuthError `invalid_scope` if a requested scope of the resource is not in the grant (RFC 6749 section 6)
 */
export function narrowedScopes(
  requested: readonly string[],
  granted: readonly string[],
  offered: ScopeRules['scopes'],
): readonly string[] {
  const known = requested.filter(
    (scope) => granted.includes(scope) || Object.hasOwn(offered, scope),
  )
  if (!known.some((scope) => scope !== OFFLINE_ACCESS)) return granted
  if (!known.every((scope) => granted.includes(scope))) {
    throw new OAuthError('invalid_scope', 'scope exceeds what was granted')
  }
  return known
}

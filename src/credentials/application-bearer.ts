/**
 * The `Authorization` of an application that has bearer tokens of its own (setting `application_bearer`). It is no
 * credential for us, but no token of ours may reach the application in it.
 *
 * @module
 */
import type { Resource } from '../resources/resource-table.ts'

/** Tells whether a token was issued here, expired or not. */
export interface IssuedTokens {
  inspect(token: string): { readonly ok: true } | { readonly ok: false; readonly reason: string }
}

/** Tokens that the configuration names; undefined for any other. */
interface NamedTokens {
  verify(token: string, resource: Resource): unknown
}

/** True if an `Authorization` header holds a token of ours, under whatever scheme and in whatever quotes. */
export type HoldsOwnToken = (authorization: string, resource: Resource) => boolean

/** @param deps `issued`: each kind of token that we sign */
export function createHoldsOwnToken(deps: {
  issued: readonly IssuedTokens[]
  bearers: readonly NamedTokens[]
}): HoldsOwnToken {
  const { issued, bearers } = deps
  return (authorization, resource) =>
    authorization
      .split(/[^A-Za-z0-9\-._~+/=]+/)
      .filter((part) => part !== '')
      .some(
        (part) =>
          issued.some((tokens) => isAuthentic(tokens.inspect(part))) ||
          bearers.some((source) => source.verify(part, resource) !== undefined),
      )
}

const isAuthentic = (inspected: ReturnType<IssuedTokens['inspect']>) =>
  inspected.ok || inspected.reason === 'expired'

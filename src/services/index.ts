/**
 * Builds each service once, from the bottom of the folder list to its top. `app.ts` mounts the surfaces that answer
 * requests. This folder owns no rule.
 *
 * @module
 */
import { createIssuedTokens } from '../oauth/tokens/issued-tokens.ts'
import type { AppDeps } from './app-deps.ts'
import { buildCheck } from './check.ts'
import { buildFoundation } from './foundation.ts'
import { buildGrants } from './grants.ts'
import { buildLogin } from './login.ts'
import { buildRelay } from './relay.ts'

/** Every service that a surface needs. */
export type Services = Awaited<ReturnType<typeof buildServices>>

/** @throws SigningKeyUnreadable if the store was sealed under another secret; StorageUnavailable */
export async function buildServices(deps: AppDeps) {
  const foundation = await buildFoundation(deps)
  const checkServices = buildCheck(deps, foundation)
  const relay = buildRelay(deps, foundation, checkServices)
  const sessionRoutes = buildLogin(deps, foundation, { ...checkServices, relay })
  const grants = buildGrants(deps, foundation, relay)
  const { issuer, accessTokens, records, keyring } = foundation
  const findIssued = createIssuedTokens({ accessTokens, records, keyring })
  const introspection = { ...grants, issuer, findIssued }
  return { ...foundation, ...checkServices, sessionRoutes, grants, findIssued, introspection }
}

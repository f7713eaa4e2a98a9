/**
 * The check, and every kind of credential that it accepts.
 *
 * @module
 */
import { createAssertionsOfCallers } from '../check/assertions.ts'
import { createCheck } from '../check/check.ts'
import { limitRefusals } from '../check/limit-refusals.ts'
import { createOutcomeEvents } from '../check/outcome-events.ts'
import { createProxyFaults } from '../check/proxy-faults.ts'
import { createVerifier } from '../credentials/access-tokens.ts'
import { createApiKeySource } from '../credentials/api-keys/api-keys.ts'
import { createHoldsOwnToken } from '../credentials/application-bearer.ts'
import { createCredentials } from '../credentials/credentials.ts'
import { createProviderTokens } from '../credentials/provider-tokens/provider-tokens.ts'
import { createStaticTokens } from '../credentials/static-tokens.ts'
import { createCallerAssertions } from '../oauth/tokens/caller-assertion.ts'
import { createGrantWatch, createRecordWatch } from '../records/grant-watch.ts'
import { createMcpSessionOwners } from '../records/mcp-session-owners.ts'
import { createSessionActivity } from '../sessions/activity.ts'
import { isOwnCookie } from '../sessions/own-cookies.ts'
import { couldReplaceUs } from '../sessions/service-workers.ts'
import { isOwnPath, type SessionRules, signInUrl, signOutUrl } from '../sessions/target.ts'
import { createSessionVerifier } from '../sessions/verifier.ts'
import type { AppDeps } from './app-deps.ts'
import type { Foundation } from './foundation.ts'

/** The check, and every kind of credential that it accepts. */
export function buildCheck(
  { config, storage, events, now, elapsed }: AppDeps,
  foundation: Foundation,
) {
  const { issuer, records, resources, persons, accessTokens, sessionTokens, originAllowed } =
    foundation
  const { userNames } = foundation
  const { cookieDomain, identityHeaders } = config
  const sessionRules: SessionRules = { resources, issuer, cookieDomain }
  const watchGrant = createGrantWatch({
    records,
    persons,
    liveness: storage.liveness,
    onBridging: () => events.emit({ event: 'store-bridged', seconds: config.maxStale }),
  })
  const sessions = createSessionVerifier({
    tokens: sessionTokens,
    records,
    persons,
    watchGrant,
    activity: createSessionActivity({
      sessions: records.sessions,
      idle: config.lifetimes.sessionIdle,
      events,
      now,
      elapsed,
    }),
    issuer,
    cookieDomain,
    now,
  })
  const apiKeys = createApiKeySource({
    apiKeys: records.apiKeys,
    keyring: foundation.keyring,
    watchKey: createRecordWatch({
      unchanged: records.apiKeys.unchanged,
      liveness: storage.liveness,
    }),
    now,
  })
  const providerTokens = buildProviderTokens()
  const bearers = [
    createStaticTokens(config.staticTokens),
    ...(providerTokens ? [providerTokens] : []),
  ]
  const credentials = createCredentials({
    verifier: createVerifier({
      accessTokens,
      records,
      persons,
      watchGrant,
      personTokenOf: foundation.personTokens.find,
      now,
    }),
    apiKeys,
    bearers,
    cookies: sessions,
    holdsOwnToken: createHoldsOwnToken({ issued: [accessTokens, sessionTokens, apiKeys], bearers }),
  })
  const unlimited = createCheck({
    resources,
    credentials,
    originAllowed,
    isOwnPath: (match) => isOwnPath(match, sessionRules),
    refusesWorker: (match) => couldReplaceUs(match, { cookieDomain, edgeAuth: config.edgeAuth }),
    identityHeaders,
    assertions: Object.values(identityHeaders).includes('assertion')
      ? createAssertionsOfCallers(
          createCallerAssertions({ issuer, keys: foundation.accessKeys, now }),
        )
      : undefined,
    apiKeyHeader: config.apiKeyHeader,
    userNames,
    brand: foundation.brand,
    isOwnCookie,
    signInUrl: (match, target) =>
      signInUrl(match, target, {
        ...sessionRules,
        onShortened: ({ returnTo }) =>
          events.emit({ event: 'return-shortened', host: new URL(returnTo).host }),
      }),
    signOutUrl: (resource) => signOutUrl(resource, sessionRules),
    events,
    mcpSessions: createMcpSessionOwners({ sessions: records.mcpSessions, elapsed }),
    now: elapsed,
  })
  const { clientAddress, rateLimits } = foundation
  const refusedPerMinute = rateLimits.perMinute('refused')
  const check = limitRefusals(unlimited, {
    max: refusedPerMinute,
    counters: {
      ordinary: rateLimits.counter('refused'),
      crossSite: rateLimits.ownCounter('refused-cross-site', refusedPerMinute),
    },
    clientAddress,
  })
  const proxyFaults = createProxyFaults({
    events,
    resources,
    isOneOfMany: storage.liveness !== undefined,
    elapsed,
  })
  const reportCheck = createOutcomeEvents({
    events,
    clientAddress,
    userNames,
    proxyFaults,
  })
  return { sessionRules, sessions, check, reportCheck, proxyFaults, providerTokens }

  function buildProviderTokens() {
    const { provider } = foundation
    if (!('tokenClients' in config.provider)) return undefined
    if (provider.kind !== 'redirect' || !provider.tokens) return undefined
    const { clientId, tokenClients, groupsClaim } = config.provider
    return createProviderTokens({
      authority: provider.tokens,
      resources,
      publicUrl: config.publicUrl.origin,
      clientId,
      tokenClients,
      groupsClaim,
      revokedBefore: foundation.revokedBefore.current,
      storage,
      clientAddress: foundation.clientAddress,
      events,
      providerId: provider.id,
      now,
      elapsed,
    })
  }
}

/**
 * The composition root: builds every service once and registers every plugin and route. The only wiring.
 *
 * @module
 */
import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from './config/config.ts'
import { createKeyring, randomToken } from './crypto.ts'
import { edgeRoutes } from './edge/routes.ts'
import { tunnelEndpoint } from './edge/tunnel.ts'
import { createAnswering } from './forward-auth/answering.ts'
import { createCheck } from './forward-auth/check.ts'
import { createCredentials } from './forward-auth/credentials.ts'
import { createEndpoints } from './forward-auth/endpoints.ts'
import { createResourceTable } from './forward-auth/resource.ts'
import { forwardAuthRoutes } from './forward-auth/routes.ts'
import { createStaticTokens } from './forward-auth/static-tokens.ts'
import { createVerifier } from './forward-auth/verifier.ts'
import { createClientAddress } from './http/client-address.ts'
import { everyMinute } from './http/every-minute.ts'
import { healthRoutes } from './http/health.ts'
import { normalizeHost } from './http/host.ts'
import { compileOrigins } from './http/origins.ts'
import { limitRate } from './http/rate-limit.ts'
import { scoped } from './http/scope.ts'
import { createHttpServer } from './http/server.ts'
import { compileTrustedProxies } from './http/trusted-proxies.ts'
import { createBrowsers, isOwnCookie } from './login/browser.ts'
import { clientPurpose } from './login/client-purpose.ts'
import { complete } from './login/complete.ts'
import type { LoginFlow } from './login/flow.ts'
import type { Interaction } from './login/interaction.ts'
import { createLockout } from './login/lockout.ts'
import { createPasswordLogin } from './login/password-login.ts'
import { CALLBACK_PATH } from './login/paths.ts'
import { loginRoutes } from './login/routes.ts'
import { createAccessTokens } from './oauth/access-token.ts'
import { createClients } from './oauth/clients/clients.ts'
import { compileRegistration } from './oauth/clients/registration-policy.ts'
import { createDiscovery, discoveryRoutes } from './oauth/discovery-routes.ts'
import type { GrantDeps } from './oauth/grants/grant-type.ts'
import { loadSigningKeys } from './oauth/keys.ts'
import { registrationRoute } from './oauth/registration-route.ts'
import { revokeGrantsOfTheGone } from './oauth/revocation.ts'
import { createTokenIssuer } from './oauth/token-issuer.ts'
import { tokenRoute } from './oauth/token-route.ts'
import { createProviderTokens } from './provider-tokens/provider-tokens.ts'
import { createProvider } from './providers/index.ts'
import { createUpstreamHeaders } from './proxy/request-headers.ts'
import { type ProxyRoutes, proxyRoutes } from './proxy/routes.ts'
import { createUpstream } from './proxy/upstream.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { createSessionActivity } from './sessions/session-activity.ts'
import { createSessionIssuer } from './sessions/session-issuer.ts'
import { sessionPurpose } from './sessions/session-purpose.ts'
import { type SessionRules, signInUrl, signOutUrl } from './sessions/session-target.ts'
import { createSessionTokens } from './sessions/session-token.ts'
import { createSessionVerifier } from './sessions/session-verifier.ts'
import { createSignInRounds } from './sessions/sign-in-rounds.ts'
import { createPersons } from './storage/persons.ts'
import { createRecords } from './storage/records.ts'
import { createGrantWatch } from './storage/standing.ts'
import type { Storage } from './storage/storage.ts'

export interface AppDeps {
  readonly config: Config
  /** The root secret: configured, or made in the data directory. */
  readonly secret: string
  readonly storage: Storage
  readonly log: Logger
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** @throws SigningKeyUnreadable if the store was sealed under another secret; StorageUnavailable */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { config, storage, log, now } = deps
  const issuer = config.publicUrl.origin
  const keyring = createKeyring(deps.secret, config.secretPrevious)
  const records = createRecords(storage, {
    ...(config.revokeBefore !== undefined && { revokeBefore: config.revokeBefore }),
  })
  const resources = createResourceTable(config.resources)
  const provider = createProvider(config.provider, {
    users: config.users,
    redirectUri: `${issuer}${CALLBACK_PATH}`,
    keyring,
    now,
  })
  const persons = createPersons({ provider, records })
  const keys = await loadSigningKeys({
    storage,
    keyring,
    now,
    retention: config.lifetimes.session,
  })
  const accessTokens = createAccessTokens({ issuer, keys, now })
  const policy = compileRegistration(config.registration)
  const clients = createClients({
    keyring,
    randomToken: () => randomToken(9),
    configured: config.clients,
    policy,
    lifetime: config.clientLifetime,
    now,
  })
  const isTrustedProxy = compileTrustedProxies(config.trustedProxies)
  const originAllowed = compileOrigins(config.allowedOrigins, issuer)
  const watchGrant = createGrantWatch({ records, persons, liveness: storage.liveness })
  const verifier = createVerifier({ accessTokens, records, persons, watchGrant, now })
  const { identityHeaders } = config
  const { cookieDomain } = config
  const sessionRules: SessionRules = { resources, issuer, cookieDomain }
  const sessionTokens = createSessionTokens({ issuer, keys, now })
  const sessions = createSessionVerifier({
    tokens: sessionTokens,
    records,
    persons,
    watchGrant,
    activity: createSessionActivity({
      sessions: records.sessions,
      idle: config.lifetimes.sessionIdle,
      log,
      now,
    }),
    cookieDomain,
    now,
  })
  const redirectConfig = config.provider.type === 'builtin' ? undefined : config.provider
  const bearers = [createStaticTokens(config.staticTokens)]
  if (redirectConfig && provider.kind === 'redirect' && provider.tokens) {
    const { clientId, tokenClients, groupsClaim } = redirectConfig
    bearers.push(
      createProviderTokens({
        authority: provider.tokens,
        resources,
        publicUrl: issuer,
        clientId,
        tokenClients,
        groupsClaim,
        revokeBefore: config.revokeBefore,
        storage,
        log,
        now,
      }),
    )
  }
  const credentials = createCredentials({
    verifier,
    bearers,
    cookies: sessions,
  })
  const check = createCheck({
    resources,
    credentials,
    originAllowed,
    identityHeaders,
    isOwnCookie,
    signInUrl: (match, target) => signInUrl(match, target, sessionRules),
    signOutUrl: (resource) => signOutUrl(resource, sessionRules),
    log,
    now,
  })
  const browsers = createBrowsers({ keyring, secure: config.publicUrl.secure })

  const endpoints = [
    ...createEndpoints({ check, resources, identityHeaders }),
    ...(config.edgeAuth ? [tunnelEndpoint({ check, rules: sessionRules })] : []),
  ]
  const answer = createAnswering({ endpoints, isTrustedProxy, log, now })

  const app = createHttpServer({ log, first: answer })
  everyMinute(app, { task: keys.refresh, failed: 'reading the signing keys failed', log })
  app.addHook('onListen', async () => {
    // Beside the first requests: checks refuse these people already, this keeps them out should the name come back.
    revokeGrantsOfTheGone({ records, provider }).then(
      (ended) => ended > 0 && log.info({ ended }, 'ended the grants of people who are gone'),
      (error: unknown) =>
        log.warn({ err: error }, 'could not look for grants of people who are gone'),
    )
  })

  const rounds = createSignInRounds({ browsers, sessions: records.sessions, now })
  const issue = createSessionIssuer({
    tokens: sessionTokens,
    sessions: records.sessions,
    idle: config.lifetimes.sessionIdle,
    now,
  })
  const purposeOf = (interaction: Interaction) =>
    interaction.purpose === 'client'
      ? clientPurpose(interaction, {
          issuer,
          keyring,
          records,
          resources,
          grantLifetime: config.lifetimes.grant,
        })
      : sessionPurpose(interaction, {
          rules: sessionRules,
          records,
          issue,
          rounds,
          sessionLifetime: config.lifetimes.session,
        })
  const flow: LoginFlow = {
    issuer,
    host: normalizeHost(config.publicUrl.host) ?? config.publicUrl.host,
    keyring,
    clients,
    resources,
    browsers,
    provider,
    passwordLogin:
      provider.kind === 'password'
        ? createPasswordLogin({
            provider,
            browsers,
            lockout: createLockout({ storage, keyring, now }),
          })
        : undefined,
    complete: (interaction, person) =>
      complete(interaction, person, { purpose: purposeOf(interaction), records, now }),
    purposeOf,
    isAnswered: (interaction) => records.interactions.isAnswered(interaction.id),
    now,
  }

  const grants: GrantDeps = {
    records,
    resources,
    keyring,
    tokens: createTokenIssuer({
      accessTokens,
      keyring,
      lifetime: config.lifetimes.accessToken,
      now,
    }),
    personExists: async (grant) => (await persons.find(grant)) !== undefined,
    lifetimes: config.lifetimes,
    now,
    randomToken,
  }
  const described = {
    issuer,
    providerIssuer: redirectConfig?.issuerUrl,
    resources,
    registration: policy.isOpen,
  }
  const proxy: ProxyRoutes = {
    check,
    resources,
    upstream: createUpstream(),
    upstreamHeaders: createUpstreamHeaders(identityHeaders),
    originAllowed,
    isTrustedProxy,
    isOwnCookie,
    discover: createDiscovery(described),
    log,
  }

  scoped(app, (scope) => forwardAuthRoutes(scope, { endpoints, answer }))
  scoped(app, (scope) => healthRoutes(scope, { probeStore: () => storage.get('probe') }))
  const limits = {
    perMinute: config.rateLimit,
    clientAddress: createClientAddress(isTrustedProxy),
    storage,
    now,
  }
  scoped(app, (scope) => discoveryRoutes(scope, { ...described, keys }))
  scoped(app, (scope) => {
    limitRate(scope, 'register', limits)
    scoped(scope, (inner) => registrationRoute(inner, { clients, policy, issuer, now }))
  })
  scoped(app, (scope) => {
    limitRate(scope, 'token', limits)
    scoped(scope, (inner) => tokenRoute(inner, { clients, grants }))
  })
  scoped(app, (scope) => {
    limitRate(scope, 'login', limits)
    scope.register(cookie)
    scoped(scope, (inner) => loginRoutes(inner, flow))
    scoped(scope, (inner) =>
      sessionRoutes(inner, {
        flow,
        rules: sessionRules,
        records,
        tokens: sessionTokens,
        issue,
        rounds,
      }),
    )
  })
  if (config.edgeAuth) {
    scoped(app, (scope) => {
      limitRate(scope, 'edge', limits)
      edgeRoutes(scope, { rules: sessionRules, sessions })
    })
  }
  scoped(app, (scope) => proxyRoutes(scope, proxy))
  return app
}

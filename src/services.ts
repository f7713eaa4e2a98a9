/**
 * Builds each service once, from the bottom of the folder list to its top. `app.ts` mounts the surfaces that answer
 * requests. This file owns no rule.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { createAssertionsOfCallers } from './check/assertions.ts'
import { createCheck } from './check/check.ts'
import { limitRefusals } from './check/limit-refusals.ts'
import { createOutcomeEvents } from './check/outcome-events.ts'
import { createProxyFaults } from './check/proxy-faults.ts'
import { createTokenJudge } from './check/relayed-tokens.ts'
import { type Config, issuerOf, redirectUriOf } from './config/config.ts'
import { createVerifier } from './credentials/access-tokens.ts'
import { createApiKeySource } from './credentials/api-keys/api-keys.ts'
import { createHoldsOwnToken } from './credentials/application-bearer.ts'
import type { Verified } from './credentials/credential.ts'
import { createCredentials } from './credentials/credentials.ts'
import { createProviderTokens } from './credentials/provider-tokens/provider-tokens.ts'
import { createStaticTokens } from './credentials/static-tokens.ts'
import { createKeyring, randomBelow, randomToken } from './crypto.ts'
import type { Events } from './events.ts'
import { createClientAddress } from './http/client-address.ts'
import type { Lifecycle } from './http/lifecycle.ts'
import { compileOrigins } from './http/origins.ts'
import { createRateLimits } from './http/rate-limit.ts'
import { compileTrustedProxies } from './http/trusted-proxies.ts'
import { createBrowsers } from './login/browser.ts'
import { clientPurpose } from './login/client-purpose.ts'
import { complete } from './login/complete.ts'
import { devicePurpose } from './login/device-purpose.ts'
import type { LoginFlow } from './login/flow.ts'
import type { Interaction } from './login/interaction.ts'
import { createLockout } from './login/lockout.ts'
import { createPasswordLogin } from './login/password-login.ts'
import { createSignIns } from './login/sign-ins.ts'
import { createUserCodeGuesses } from './login/user-code-guesses.ts'
import { createAnnouncements } from './mcp/announcements.ts'
import { askTools } from './mcp/ask-tools.ts'
import { ASSERTION_ALGORITHMS } from './oauth/client-assertion.ts'
import { createClientAuthentication } from './oauth/client-authentication.ts'
import { type AssertionKeys, createAssertionKeys } from './oauth/clients/assertion-keys.ts'
import { createClients } from './oauth/clients/clients.ts'
import { createFetchBudget } from './oauth/clients/fetch-budget.ts'
import { createMachines } from './oauth/clients/machines.ts'
import { createMetadataClients, type MetadataClients } from './oauth/clients/metadata-clients.ts'
import { SELF_DECLARED_GRANTS } from './oauth/clients/metadata-document.ts'
import { withoutDeleted } from './oauth/clients/registration-management.ts'
import {
  compileRegistration,
  type RegistrationPolicy,
} from './oauth/clients/registration-policy.ts'
import type { FetchFailure } from './oauth/clients/remote-documents.ts'
import { createDeviceRequests } from './oauth/device/requests.ts'
import type { GrantDeps } from './oauth/grants/grant-type.ts'
import { DEVICE_CODE } from './oauth/grants/names.ts'
import { keepForRechecks } from './oauth/held-token.ts'
import { createPersonTokens } from './oauth/person-token.ts'
import { createRecheck } from './oauth/recheck.ts'
import type { RedirectRules } from './oauth/redirect-uri.ts'
import { createRelayIssuer } from './oauth/relay/handed-tokens.ts'
import { createKeptTokens, openKept } from './oauth/relay/kept-tokens.ts'
import { createRelay, type Relay } from './oauth/relay/relay.ts'
import { createRenewal } from './oauth/relay/renewal.ts'
import { createTokenEnd } from './oauth/relay/token-end.ts'
import { isMachine, subjectOf } from './oauth/subject.ts'
import { createAccessTokens } from './oauth/tokens/access-token.ts'
import { createCallerAssertions } from './oauth/tokens/caller-assertion.ts'
import { createIssuedTokens } from './oauth/tokens/issued-tokens.ts'
import { createTokenIssuer } from './oauth/tokens/issuer.ts'
import { keySetsOf } from './oauth/tokens/key-sets.ts'
import { loadSigningKeys } from './oauth/tokens/signing-keys.ts'
import { comparedName, type UserNames, uniqueUser } from './oauth/user-name.ts'
import { publicAddresses } from './outbound/address-rules.ts'
import { createGuardedFetch } from './outbound/guarded-fetch.ts'
import { createReach } from './outbound/reach.ts'
import { createDnsResolver, resolveBySystem } from './outbound/resolvers.ts'
import { createBrand } from './pages/brand.ts'
import { CALLBACK_PATH, ENDPOINTS } from './paths.ts'
import { usersWithCheaperHashes } from './providers/builtin.ts'
import { createProvider } from './providers/index.ts'
import type { Identity, Provider } from './providers/provider.ts'
import { createAuthenticStorage } from './records/authentic.ts'
import { createGrantWatch, createRecordWatch } from './records/grant-watch.ts'
import { createMcpSessionOwners } from './records/mcp-session-owners.ts'
import { createPersons } from './records/persons.ts'
import { createRecords, type Grant, type Records } from './records/records.ts'
import { loadRevokedBefore } from './records/revoked-before.ts'
import { createResourceTable } from './resources/resource-table.ts'
import { createSessionActivity } from './sessions/activity.ts'
import type { SessionRoutes } from './sessions/asked-host.ts'
import { browserPurpose } from './sessions/browser-purpose.ts'
import { createConnectProofs } from './sessions/connect-proof.ts'
import { createSessionTokens } from './sessions/cookie-token.ts'
import { isOwnCookie } from './sessions/own-cookies.ts'
import { couldReplaceUs } from './sessions/service-workers.ts'
import { createSignInRounds } from './sessions/sign-in-rounds.ts'
import { isOwnPath, type SessionRules, signInUrl, signOutUrl } from './sessions/target.ts'
import { createSessionIssuer } from './sessions/token-issuer.ts'
import { createSessionVerifier } from './sessions/verifier.ts'
import type { Storage } from './storage/storage.ts'
import { normalizeHost } from './url/host.ts'

export interface AppDeps {
  readonly config: Config
  /** The root secret: configured, or generated in the data directory. */
  readonly secret: string
  readonly storage: Storage
  /** For lines of libraries; what happens in this program is an event. */
  readonly log: Logger
  readonly events: Events
  /** Milliseconds since the epoch: for points in time that leave the process or outlive it, such as `exp`. */
  readonly now: () => number
  /** Milliseconds on a clock that is never set back, from any start: for spans within the process. */
  readonly elapsed: () => number
  /** Absent where nothing ends the process before the app closes. */
  readonly lifecycle?: Lifecycle
}

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

type Foundation = Awaited<ReturnType<typeof buildFoundation>>

/** Records, resources, provider, keys and clients: the base of both the check and the authorization server. */
async function buildFoundation({ config, secret, storage, events, now, elapsed }: AppDeps) {
  const issuer = issuerOf(config)
  const keyring = createKeyring(secret, {
    issuer,
    previous: config.secretPrevious,
    onManySealed: (label) => events.emit({ event: 'secret-worn', label }),
  })
  const onForged = (record: string) => events.emit({ event: 'record-forged', record })
  const revokedBefore = await loadRevokedBefore({
    storage: createAuthenticStorage(storage, keyring, onForged),
    configured: config.revokeBefore,
    now,
  })
  if (revokedBefore.current() > (config.revokeBefore ?? 0)) {
    events.emit({
      event: 'revoke-before-kept',
      revokeBefore: new Date(revokedBefore.current() * 1000).toISOString(),
    })
  }
  const provider = createProvider(config.provider, {
    users: config.users,
    redirectUri: redirectUriOf(config),
    keyring,
    reach: createReach('way' in config.provider ? config.provider.way : undefined),
    tolerated: (reason) =>
      events.emit({
        event: 'provider-odd',
        provider: 'id' in config.provider ? config.provider.id : config.provider.type,
        reason,
      }),
    now,
    elapsed,
  })
  const endTokens = createTokenEnd({ provider, events })
  const records = createRecords(storage, {
    keyring,
    onForged,
    revokedBefore: revokedBefore.current,
    onRelayEnded: (sealed) => endTokens(openKept(sealed, keyring)?.tokens),
  })
  if (config.provider.type === 'builtin') warnOfCheaperHashes(config.users, events)
  const keySets = keySetsOf(
    { storage, keyring, events, now, elapsed },
    { session: config.lifetimes.session, brought: config.signingKey },
  )
  const accessKeys = await loadSigningKeys(keySets.access)
  const sessionKeys =
    keySets.session === keySets.access ? accessKeys : await loadSigningKeys(keySets.session)
  const registrationPolicy = compileRegistration(config.registration)
  const isTrustedProxy = compileTrustedProxies(config.trustedProxies)
  const clientAddress = createClientAddress({
    trustedProxies: config.trustedProxies,
    events,
  })
  const announcements = createAnnouncements(config.resources, {
    ask: askTools,
    events,
    elapsed,
    records: records.serverScopes,
  })
  const resources = createResourceTable(config.resources, {
    publicUrl: issuer,
    discoveryAt: config.discoveryAt,
    announcements,
  })
  const userNames: UserNames = {
    areUnique: provider.uniqueUsernames,
    ofTokens: new Set(config.staticTokens.map(({ name }) => comparedName(name))),
  }
  const userOf = (person: Identity) =>
    uniqueUser({ person, sub: subjectOf(person), isPerson: true }, userNames)
  const redirectRules: RedirectRules = {
    ownOrigin: issuer,
    callbackPath: config.callbackPath,
    isProtected: resources.hasHost,
    isOpenedScheme: registrationPolicy.names,
  }
  const metadata = createClientMetadata({
    config,
    records,
    redirectRules,
    registrationPolicy,
    events,
    now,
    elapsed,
  })
  const clients = withoutDeleted(
    createClients({
      keyring,
      configured: config.clients,
      policy: registrationPolicy,
      metadata: metadata.clients,
      lifetime: config.clientLifetime,
      now,
    }),
    records,
  )
  const machines = createMachines(config.clients, keyring)
  const persons = createPersons({
    provider,
    records,
    programs: { isProgram: isMachine, current: machines.current },
  })
  return {
    issuer,
    brand: createBrand(config.brand),
    keyring,
    connectProofs: createConnectProofs({ issuer, keyring, secure: config.publicUrl.secure }),
    records,
    revokedBefore,
    provider,
    endTokens,
    accessKeys,
    keys: [...new Set([accessKeys, sessionKeys])],
    registrationPolicy,
    redirectRules,
    isTrustedProxy,
    clientAddress,
    announcements,
    resources,
    machines,
    persons,
    personTokens: createPersonTokens({ records, resources, keyring, now }),
    userNames,
    userOf,
    userOfVerified: (verified: Verified) => uniqueUser(verified, userNames),
    userOfGrant: async (grant: Grant) => {
      // The name is for an event: if the store does not answer, the event has none.
      const person = await persons.find(grant).catch(() => undefined)
      return person && userOf(person)
    },
    accessTokens: createAccessTokens({ issuer, keys: accessKeys, keyring, now }),
    sessionTokens: createSessionTokens({ issuer, keys: sessionKeys, keyring, now }),
    clients,
    readsClientMetadata: metadata.clients !== undefined,
    selfDeclaredGrants: [
      ...(registrationPolicy.allowsDevices ? [DEVICE_CODE] : []),
      ...(metadata.clients ? documentedGrants(registrationPolicy) : []),
    ],
    deviceRequests: createDeviceRequests({
      devices: records.devices,
      keyring,
      now,
      randomId: () => randomToken(16),
      randomBelow,
    }),
    authenticateClient: createClientAuthentication({
      clients,
      assertionKeys: metadata.assertionKeys,
      useOnce: records.assertions.use,
      issuer,
      tokenEndpoint: issuer + ENDPOINTS.token,
      now,
    }),
    originAllowed: compileOrigins(config.allowedOrigins, config.publicUrl.origin),
    rateLimits: createRateLimits({
      perMinute: (group) => config.rateLimits?.[group] ?? config.rateLimit,
      clientAddress,
      storage,
      now: elapsed,
    }),
    providerIssuer: config.provider.type === 'builtin' ? undefined : config.provider.issuerUrl,
  }
}

/** Documents and keys of clients, which are fetched from where somebody else says. */
function createClientMetadata(deps: {
  readonly config: Config
  readonly records: Records
  readonly redirectRules: RedirectRules
  readonly registrationPolicy: RegistrationPolicy
  readonly events: Events
  readonly now: () => number
  readonly elapsed: () => number
}): { readonly clients: MetadataClients | undefined; readonly assertionKeys: AssertionKeys } {
  const { config, records, redirectRules, registrationPolicy, events, now, elapsed } = deps
  const { hosts, pinned, loopback } = config.clientMetadata
  const budget = createFetchBudget({ elapsed })
  const fetch = createGuardedFetch({
    resolve: createDnsResolver(),
    mayConnect: publicAddresses({ loopback }),
  })
  const onFailure = ({ url, reason, from }: FetchFailure) =>
    events.emit({
      event: 'client-document-unread',
      address: from,
      reason,
      // The query is left out: strangers write it.
      url: url.origin + url.pathname,
    })
  const isOff = hosts.allowed.length === 0 && Object.keys(pinned).length === 0 && !loopback
  return {
    clients: isOff
      ? undefined
      : createMetadataClients({
          fetch,
          budget,
          hosts,
          loopback,
          pinned: new Map(Object.entries(pinned)),
          rules: {
            redirectRules,
            // Where no client may register, the operator chose the hosts themselves.
            allowsRedirect: registrationPolicy.isOpen ? registrationPolicy.allows : () => true,
            grantTypes: documentedGrants(registrationPolicy),
          },
          copies: records.clientDocuments,
          grantLifetime: config.lifetimes.grant,
          onFailure,
          onUnstored: (err) =>
            events.emit({
              event: 'task-failed',
              task: 'storing the metadata document of a client',
              err,
            }),
          now,
          elapsed,
        }),
    assertionKeys: createAssertionKeys({
      algorithms: ASSERTION_ALGORITHMS,
      fetch,
      fetchConfigured: createGuardedFetch({
        resolve: resolveBySystem,
        mayConnect: () => true,
      }),
      budget,
      onFailure,
      now,
      elapsed,
    }),
  }
}

/** Where a list of destinations limits clients, the device grant would be a way around it. */
const documentedGrants = ({ isOpen, allowsDevices }: RegistrationPolicy) =>
  SELF_DECLARED_GRANTS.filter((type) => type !== DEVICE_CODE || !isOpen || allowsDevices)

function warnOfCheaperHashes(configured: Config['users'], events: Events): void {
  const users = usersWithCheaperHashes(configured)
  if (users.length > 0) events.emit({ event: 'hashes-uneven', users })
}

/** The check, and every kind of credential that it accepts. */
function buildCheck({ config, storage, events, now, elapsed }: AppDeps, foundation: Foundation) {
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

/** The way of the provider's own tokens to clients, where they get those. */
function buildRelay(
  { config, events, now }: AppDeps,
  { records, keyring, provider, endTokens: onOrphan, resources }: Foundation,
  { providerTokens }: ReturnType<typeof buildCheck>,
): Relay | undefined {
  if (config.clientTokens !== 'provider') return undefined
  if (provider.kind !== 'redirect' || !provider.relay || !providerTokens) {
    throw new Error(`the tokens of ${provider.id} cannot be handed to clients`)
  }
  const kept = createKeptTokens({ records, keyring, onOrphan, now })
  return createRelay({
    judge: createTokenJudge(providerTokens),
    kept,
    renew: createRenewal({ provider: provider.relay, kept, records }),
    records,
    resources,
    events,
    providerId: provider.id,
    now,
  })
}

/** The login of a person, from `/authorize` or a protected page to a code or a session. */
function buildLogin(
  { config, storage, now, elapsed }: AppDeps,
  foundation: Foundation,
  { sessionRules, relay }: ReturnType<typeof buildCheck> & { readonly relay: Relay | undefined },
): SessionRoutes {
  const {
    issuer,
    keyring,
    records,
    resources,
    provider,
    clients,
    redirectRules,
    sessionTokens,
    clientAddress,
    deviceRequests,
    personTokens,
  } = foundation
  const browsers = createBrowsers({ keyring, secure: config.publicUrl.secure })
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
      : interaction.purpose === 'device'
        ? devicePurpose(interaction, {
            issuer,
            keyring,
            records,
            resources,
            deviceRequests,
            grantLifetime: config.lifetimes.grant,
          })
        : browserPurpose(interaction, {
            rules: sessionRules,
            records,
            issue,
            rounds,
            connectProofs: foundation.connectProofs,
            sessionLifetime: config.lifetimes.session,
          })
  const credentialOf = (person: Identity) => provider.credentialOf?.(person)
  const hasRechecks = rechecksOf(provider) !== undefined
  const flow: LoginFlow = {
    issuer,
    callbackPath: config.callbackPath ?? CALLBACK_PATH,
    brand: foundation.brand,
    host: normalizeHost(config.publicUrl.host) ?? config.publicUrl.host,
    keyring,
    clients,
    redirectRules,
    resources,
    browsers,
    provider,
    clientAddress,
    userOf: foundation.userOf,
    passwordLogin:
      provider.kind === 'password'
        ? createPasswordLogin({
            provider,
            browsers,
            clientAddress,
            lockout: createLockout({ storage, keyring, now }),
          })
        : undefined,
    signIns: createSignIns({
      signIns: records.signIns,
      persons: foundation.persons,
      provider,
      credentialOf,
      isOn: resources.isOurHostGuarded,
      servesClients: !hasRechecks && relay === undefined,
      secure: config.publicUrl.secure,
      lifetime: config.lifetimes.session,
      idle: config.lifetimes.sessionIdle,
      now,
    }),
    relay,
    complete: (interaction, { person, tokens, ...left }, signedIn) =>
      complete(interaction, person, {
        purpose: purposeOf(interaction),
        records,
        credentialOf,
        signedIn,
        keepTokens:
          relay && interaction.purpose !== 'session'
            ? (grant) => relay.begin(grant, tokens)
            : undefined,
        // A session has no refresh.
        keepForRechecks:
          hasRechecks && interaction.purpose !== 'session'
            ? (grant) => {
                const isTold = interaction.tellsOfToken === true
                const deps = { records, keyring, personTokens, now }
                return keepForRechecks(grant, { ...left, isTold }, deps)
              }
            : undefined,
        now,
      }),
    deviceRequests,
    userCodeGuesses: createUserCodeGuesses({ elapsed }),
    purposeOf,
    isAnswered: (interaction) => records.interactions.isAnswered(interaction.id),
    now,
    elapsed,
  }
  const { userOfGrant } = foundation
  return { flow, rules: sessionRules, records, tokens: sessionTokens, issue, rounds, userOfGrant }
}

/** The services of the token endpoint. */
function buildGrants(
  { config, now, elapsed }: AppDeps,
  foundation: Foundation,
  relay: Relay | undefined,
): GrantDeps {
  const { records, resources, keyring, accessTokens, persons, machines, provider } = foundation
  const lifetime = config.lifetimes.accessToken
  const personTokenOf = foundation.personTokens.find
  const own = createTokenIssuer({ accessTokens, keyring, lifetime, personTokenOf, now })
  const rechecks = rechecksOf(provider)
  const providerId = provider.id
  return {
    records,
    machines,
    resources,
    keyring,
    tokens: relay ? createRelayIssuer({ own, relay, keyring, now }) : own,
    ...(relay && { renew: relay.renew }),
    personExists: async (grant) => (await persons.find(grant)) !== undefined,
    recheck:
      rechecks &&
      createRecheck({
        ...foundation,
        rechecks,
        providerId,
        now,
        elapsed,
        randomToken,
        wait: delay,
      }),
    userOfGrant: foundation.userOfGrant,
    lifetimes: config.lifetimes,
    now,
    randomToken,
  }
}

/** A password provider is asked nothing: the configuration says at each check who its people are. */
const rechecksOf = (provider: Provider) =>
  provider.kind === 'redirect' ? provider.rechecks : undefined

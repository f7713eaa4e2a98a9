/**
 * Records, resources, provider, keys and clients: the base of both the check and the authorization server.
 *
 * @module
 */
import { type Config, issuerOf, redirectUriOf } from '../config/config.ts'
import type { Verified } from '../credentials/credential.ts'
import { createKeyring, randomBelow, randomToken } from '../crypto.ts'
import type { Events } from '../events.ts'
import { createClientAddress } from '../http/client-address.ts'
import { compileOrigins } from '../http/origins.ts'
import { createRateLimits } from '../http/rate-limit.ts'
import { compileTrustedProxies } from '../http/trusted-proxies.ts'
import { createAnnouncements } from '../mcp/announcements.ts'
import { askTools } from '../mcp/ask-tools.ts'
import { createClientAuthentication } from '../oauth/client-authentication.ts'
import { createClients } from '../oauth/clients/clients.ts'
import { createMachines } from '../oauth/clients/machines.ts'
import { withoutDeleted } from '../oauth/clients/registration-management.ts'
import { compileRegistration } from '../oauth/clients/registration-policy.ts'
import { createDeviceRequests } from '../oauth/device/requests.ts'
import { DEVICE_CODE } from '../oauth/grants/names.ts'
import { createPersonTokens } from '../oauth/person-token.ts'
import type { RedirectRules } from '../oauth/redirect-uri.ts'
import { openKept } from '../oauth/relay/kept-tokens.ts'
import { createTokenEnd } from '../oauth/relay/token-end.ts'
import { isMachine, subjectOf } from '../oauth/subject.ts'
import { createAccessTokens } from '../oauth/tokens/access-token.ts'
import { keySetsOf } from '../oauth/tokens/key-sets.ts'
import { loadSigningKeys } from '../oauth/tokens/signing-keys.ts'
import { comparedName, type UserNames, uniqueUser } from '../oauth/user-name.ts'
import { createReach } from '../outbound/reach.ts'
import { createBrand } from '../pages/brand.ts'
import { ENDPOINTS } from '../paths.ts'
import { usersWithCheaperHashes } from '../providers/builtin.ts'
import { createProvider } from '../providers/index.ts'
import type { Identity } from '../providers/provider.ts'
import { createAuthenticStorage } from '../records/authentic.ts'
import { createPersons } from '../records/persons.ts'
import { createRecords, type Grant } from '../records/records.ts'
import { loadRevokedBefore } from '../records/revoked-before.ts'
import { createResourceTable } from '../resources/resource-table.ts'
import { createConnectProofs } from '../sessions/connect-proof.ts'
import { createSessionTokens } from '../sessions/cookie-token.ts'
import type { AppDeps } from './app-deps.ts'
import { createClientMetadata, documentedGrants } from './client-metadata.ts'

export type Foundation = Awaited<ReturnType<typeof buildFoundation>>

/** Records, resources, provider, keys and clients: the base of both the check and the authorization server. */
export async function buildFoundation({ config, secret, storage, events, now, elapsed }: AppDeps) {
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

function warnOfCheaperHashes(configured: Config['users'], events: Events): void {
  const users = usersWithCheaperHashes(configured)
  if (users.length > 0) events.emit({ event: 'hashes-uneven', users })
}

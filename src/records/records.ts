/**
 * `src/records/` owns the stored things as types, and whether a grant still holds. It does not own how a store works:
 * `src/storage/` does.
 *
 * This file types the records over the storage interface: every key prefix, record shape and lifetime stands here once.
 *
 * | key | holds | lives |
 * |---|---|---|
 * | `grant:<id>` | {@link Grant}, written once | until the grant expires or is revoked |
 * | `identity:<grant id>` | {@link GrantIdentity}, renewed at a refresh | as the grant |
 * | `refresh:<grant id>` | {@link RefreshState}, changed only by `replace` | idle time, at most the grant's |
 * | `relayed-tokens:<grant id>` | the provider's tokens that the client gets, sealed (`relayed-tokens.ts`) | as the grant |
 * | `relay-lock:<grant id>` | the process that renews those tokens now (`provider-lock.ts`) | 30 s |
 * | `upstream:<grant id>` | what asks the provider about the person again, sealed (`upstream.ts`) | as the grant |
 * | `upstream-lock:<grant id>` | the request that asks the provider now (`provider-lock.ts`) | 30 s |
 * | `machine-grant:<hash of client and resource>` | {@link MachineGrantRecord}: the grant that a program's tokens come from | as that grant |
 * | `code:<hash of the code>` | {@link CodeRecord} | 600 s, so that a replay is still recognised (K14) |
 * | `device:<place>` | a device's request that waits for a person (`devices.ts`) | until its codes expire |
 * | `device-poll:<place>` | when the device asked last (`devices.ts`) | as the request |
 * | `interaction:<id>` | id of the grant that the interaction was answered with | as long as the interaction could be |
 * | `session:<grant id>` | true: the browser session was used lately | idle time, at most the grant's |
 * | `sign-in:<id>` | {@link SignIn}: a browser that knows its person (K35) | idle time, at most until it expires |
 * | `assertion:<hash of client and jti>` | true: the client assertion was used | until it expires |
 * | `client-document:<hash of the client id>` | {@link ClientDocumentRecord} of a client that got tokens | as a grant could |
 * | `server-scopes:<hash of server and address>` | the {@link ServerScopeRecord}s that the server said last | 30 days after it said so |
 * | `session-code:<hash of the code>` | {@link SessionCodeRecord}, gone once it is used | 60 s |
 * | `api-key:<id>` | a key of a program (`api-keys.ts`) | until it expires or is revoked |
 * | `mcp-session:<hash of resource and id>` | the id of the caller who used that `Mcp-Session-Id` first (T27) | a week after a use |
 * | `client-used:<hash of the client id>` | true: a person let the client in (`client-records.ts`) | as its last grant could |
 * | `deleted-client:<slot>` | clients that deleted themselves (`client-records.ts`) | for ever |
 * | `revoked-before` | the latest `REVOKE_BEFORE` that was ever set (`revoked-before.ts`) | for ever |
 * | `format` | the version of the form of all records (`../storage/format.ts`) | for ever |
 * | `signing-key:<algorithm>-<period>` | a sealed signing key | as long as a token it signed |
 * | `lockout:<kind>:<slot>` | failed logins of one of 65,536 slots of a kind (K3) | an hour after the last one |
 * | `rate:<group>:<address>` | requests of an address to a group of endpoints, or calls to the provider; on Redis only | a minute |
 *
 * @module
 */
import { type Keyring, sha256 } from '../crypto.ts'
import type { Account, Identity } from '../providers/provider.ts'
import { deleteIf } from '../storage/delete-if.ts'
import { createRetries, type RetryUntilStored } from '../storage/retry-until-stored.ts'
import { type Storage, StorageUnavailable } from '../storage/storage.ts'
import { API_KEY_PREFIX, type ApiKeys, createApiKeys } from './api-keys.ts'
import { createAuthenticStorage } from './authentic.ts'
import { type ClientRecords, createClientRecords } from './client-records.ts'
import { createDeviceRecords, type DeviceRecords } from './devices.ts'
import { createRelayedTokenRecords, type RelayedTokenRecords } from './relayed-tokens.ts'
import { createUpstreamRecords, type UpstreamRecords } from './upstream.ts'

/** The permission that a person gave one client at one resource. The unit of revocation (decision K12). */
export interface Grant {
  readonly id: string
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  /** The mark of the person's password at the sign-in ({@link Account.credential}), if our own login took one. */
  readonly credential?: string
  /** The id of the {@link SignIn} that it comes from, where the browser is known again. */
  readonly signIn?: string
  readonly clientHash: string
  readonly clientName: string
  readonly redirectHost: string
  /** The resource's audience. */
  readonly resource: string
  readonly scopes: readonly string[]
  /** Seconds since the epoch. */
  readonly createdAt: number
  readonly expiresAt: number
}

/** The part of a grant that warm checks need: thousands are kept, so the rest is left out. */
export type HeldGrant = Pick<
  Grant,
  'id' | 'provider' | 'issuer' | 'subject' | 'credential' | 'expiresAt'
>

/** A scope in the words of a protected server, with the tools that it opens. */
export interface ServerScopeRecord {
  readonly name: string
  readonly description: string
  readonly tools: readonly string[]
}

/** The part of the person's identity that may change. */
export type GrantIdentity = Omit<Identity, 'issuer' | 'subject'>

/** A person who signed in at the gateway in one browser, which knows them again (decision K35). */
export interface SignIn {
  readonly id: string
  /** SHA-256 of the secret in the browser's cookie. */
  readonly secretHash: string
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  /** As {@link Grant.credential}. */
  readonly credential?: string
  readonly identity: GrantIdentity
  /** When the person signed in. Seconds since the epoch. */
  readonly createdAt: number
  readonly expiresAt: number
}

export interface CodeRecord {
  readonly grantId: string
  readonly clientHash: string
  readonly redirectUri: string
  readonly codeChallenge: string
  readonly resource: string
  readonly scopes: readonly string[]
  /** Seconds since the epoch. */
  readonly issuedAt: number
  /** The id of the attempt that redeemed the code. */
  readonly spentBy?: string
  /** A new random id each time an attempt gives the code back, so that the record differs from every earlier one. */
  readonly freedBy?: string
}

/** The grant from which a program gets its tokens. */
export interface MachineGrantRecord {
  readonly grantId: string
}

/** Which refresh tokens of a grant are alive (decision K15). `at` is in seconds since the epoch. */
export interface RefreshState {
  readonly current: number
  readonly parent: number
  readonly highest: number
  readonly at: number
}

/** A sign-in on its way from the gateway to the host that will set the cookie. */
export interface SessionCodeRecord {
  readonly grantId: string
  /** The only host that may redeem the code, normalized. */
  readonly host: string
  /** SHA-256 of the nonce that the browser got as a cookie when it began the sign-in at that host. */
  readonly nonceHash: string
  /** Absolute URL of the page that the browser goes on to. */
  readonly returnTo: string
}

/** The metadata document of a client, as it was fetched. Times are in seconds since the epoch. */
export interface ClientDocumentRecord {
  readonly text: string
  readonly fetchedAt: number
  readonly freshUntil: number
}

const CODE_RECORD_LIFETIME = 600
const MOST_CLAIMS = 3

/** Prefixes of records that checks keep in memory. A store that cannot peek announces changes by the rest of a key. */
export const WATCHED = ['grant:', 'identity:', API_KEY_PREFIX] as const
/** Seconds. The browser is on its way already. */
const SESSION_CODE_LIFETIME = 60
/** Seconds for which a revocation is retried while the store does not answer. */
const REVOCATION_RETRY_SECONDS = 3600

export interface Records {
  /** Retries a step of these records; all steps of a process share one queue. */
  readonly retryUntilStored: RetryUntilStored
  readonly grants: {
    /** Writes the grant after its identity, so that no grant is seen without an identity. */
    create(grant: Grant, identity: GrantIdentity, now: number): Promise<void>
    find(id: string): Promise<Grant | undefined>
    findIdentity(id: string): Promise<GrantIdentity | undefined>
    /** Renews the identity of a grant, for `ttlSeconds`. False if it changed or ended meanwhile. */
    replaceIdentity(
      id: string,
      expected: GrantIdentity,
      identity: GrantIdentity,
      ttlSeconds: number,
    ): Promise<boolean>
    /** Tells, if the store can, whether {@link find} would return the same as now; see {@link Storage.unchanged}. */
    readonly unchanged: ((id: string) => () => boolean) | undefined
    /** The same for {@link findIdentity}. */
    readonly identityUnchanged: ((id: string) => () => boolean) | undefined
    /** Ends the grant, and with it all its tokens and cookies. Deletes the grant first: checks read that record. */
    revoke(id: string): Promise<void>
    /** {@link revoke} for a caller that will not ask again: retried until the store answers. */
    revokeForSure(id: string): Promise<void>
    /**
     * {@link revokeForSure} for a grant that reached nobody. The provider is not told: the person may try again, with the
     * same tokens of the provider.
     */
    undo(id: string): Promise<void>
    /** Every stored grant, also those that {@link find} leaves out because of their age. */
    all(): AsyncIterable<Grant>
  }
  readonly codes: {
    create(hash: string, code: CodeRecord): Promise<void>
    find(hash: string): Promise<CodeRecord | undefined>
    replace(hash: string, expected: CodeRecord, code: CodeRecord): Promise<boolean>
  }
  readonly refresh: {
    create(grantId: string, state: RefreshState, ttlSeconds: number): Promise<boolean>
    find(grantId: string): Promise<RefreshState | undefined>
    replace(
      grantId: string,
      expected: RefreshState,
      state: RefreshState,
      ttlSeconds: number,
    ): Promise<boolean>
  }
  /** The provider's tokens, where clients get them. */
  readonly relayedTokens: RelayedTokenRecords
  /** The records with which a refresh asks the provider about people again. */
  readonly upstream: UpstreamRecords
  readonly machineGrants: {
    find(key: string): Promise<MachineGrantRecord | undefined>
    /** Writes `next` in the place of `expected`, which may be none. False if another process was faster. */
    put(
      key: string,
      expected: MachineGrantRecord | undefined,
      next: MachineGrantRecord,
      ttlSeconds: number,
    ): Promise<boolean>
  }
  readonly apiKeys: ApiKeys
  /** The requests of devices. */
  readonly devices: DeviceRecords
  readonly clientDocuments: {
    find(clientHash: string): Promise<ClientDocumentRecord | undefined>
    keep(clientHash: string, document: ClientDocumentRecord, ttlSeconds: number): Promise<void>
  }
  /** The scopes that servers said last, by a hash. */
  readonly serverScopes: {
    find(hash: string): Promise<readonly ServerScopeRecord[] | undefined>
    keep(hash: string, scopes: readonly ServerScopeRecord[], ttlSeconds: number): Promise<void>
  }
  /** The `jti` of client assertions (RFC 7523 section 3). */
  readonly assertions: {
    /** True for exactly one caller with this client and `jti`. */
    use(clientHash: string, jti: string, ttlSeconds: number): Promise<boolean>
  }
  readonly clients: ClientRecords
  readonly interactions: {
    /** Answers the interaction with this grant. True for one caller only. */
    answer(id: string, grantId: string, ttlSeconds: number): Promise<boolean>
    /**
     * Undoes {@link answer} for a caller whose grant reached nobody; an answer with another grant stays. If the store
     * does not answer, this is retried for `ttlSeconds`.
     */
    giveBack(id: string, grantId: string, ttlSeconds: number): Promise<void>
    /** True once the interaction is answered. */
    isAnswered(id: string): Promise<boolean>
  }
  /** The browser sessions that were used lately, by their grants. */
  readonly sessions: {
    /** Marks the session as used for the next `ttlSeconds`. */
    touch(grantId: string, ttlSeconds: number): Promise<void>
    isActive(grantId: string): Promise<boolean>
  }
  /** The browsers that know their person. */
  readonly signIns: {
    set(signIn: SignIn, ttlSeconds: number): Promise<void>
    find(id: string): Promise<SignIn | undefined>
    /** Keeps it for the next `ttlSeconds`, unless it ended or changed meanwhile. */
    renew(signIn: SignIn, ttlSeconds: number): Promise<void>
    end(id: string): Promise<void>
    /** Every stored one, also those that {@link find} leaves out because of their age. */
    all(): AsyncIterable<SignIn>
  }
  /** The owners of the sessions of old MCP servers, by a hash. */
  readonly mcpSessions: {
    /** The owner of the session: the first caller who claimed it. */
    claim(hash: string, sub: string, ttlSeconds: number): Promise<string>
    /** Keeps the owner for `ttlSeconds` more; nothing happens if the session has another one by now. */
    renew(hash: string, sub: string, ttlSeconds: number): Promise<void>
  }
  readonly sessionCodes: {
    create(hash: string, code: SessionCodeRecord): Promise<void>
    find(hash: string): Promise<SessionCodeRecord | undefined>
    /** Reads and deletes the code. Only one caller gets it. */
    take(hash: string): Promise<SessionCodeRecord | undefined>
  }
}

/**
 * Grants, identities, refresh states, tokens of the provider, what asks it again, codes, requests of devices, sessions, sign-ins, owners, client documents and scopes of servers are believed: each carries a
 * MAC (`authentic.ts`). An `interaction:` or `assertion:` record, or a lock, only bars something, and says nothing about anybody.
 * @param storage any adapter
 * @param options `onForged`: told the key of a record without a good MAC, which counts as absent; `revokedBefore`:
 *   grants created before this time count as revoked; seconds since the epoch; `onRelayEnded`: told the sealed tokens of
 *   the provider behind a grant that was revoked
 */
export function createRecords(
  storage: Storage,
  options: {
    readonly keyring: Keyring
    readonly onForged?: ((key: string) => void) | undefined
    readonly revokedBefore?: () => number
    readonly onRelayEnded?: (sealed: string) => void
  },
): Records {
  const { keyring, onForged = () => {}, revokedBefore = () => 0 } = options
  const believed = createAuthenticStorage(storage, keyring, onForged)
  const unlessRevoked = <T extends { readonly createdAt: number }>(found: T | undefined) =>
    found && found.createdAt >= revokedBefore() ? found : undefined
  const { unchanged } = storage
  const retryUntilStored = createRetries()
  const relayedTokens = createRelayedTokenRecords({ raw: storage, believed })
  /** @returns the sealed tokens of the provider that were behind it */
  const end = async (id: string) => {
    await storage.delete(`grant:${id}`)
    await storage.delete(`refresh:${id}`)
    await storage.delete(`upstream:${id}`)
    await storage.delete(`identity:${id}`)
    await storage.delete(`session:${id}`)
    return relayedTokens.take(id)
  }
  const revoke = async (id: string) => {
    const relayed = await end(id)
    if (relayed !== undefined) options.onRelayEnded?.(relayed)
  }
  return {
    retryUntilStored,
    grants: {
      async create(grant, identity, now) {
        const ttl = grant.expiresAt - now
        await believed.set(`identity:${grant.id}`, identity, ttl)
        await believed.set(`grant:${grant.id}`, grant, ttl)
      },
      find: async (id) => unlessRevoked(await believed.get<Grant>(`grant:${id}`)),
      findIdentity: (id) => believed.get<GrantIdentity>(`identity:${id}`),
      replaceIdentity: (id, expected, identity, ttl) =>
        believed.replace(`identity:${id}`, expected, identity, ttl),
      unchanged: unchanged && ((id) => unchanged.call(storage, `grant:${id}`)),
      identityUnchanged: unchanged && ((id) => unchanged.call(storage, `identity:${id}`)),
      revoke,
      revokeForSure: (id) => retryUntilStored(() => revoke(id), REVOCATION_RETRY_SECONDS),
      undo: (id) =>
        retryUntilStored(async () => {
          await end(id)
        }, REVOCATION_RETRY_SECONDS),
      async *all() {
        // Only `create` above writes under this prefix.
        for await (const [, stored] of believed.scan('grant:')) {
          yield stored as Grant
        }
      },
    },
    codes: {
      create: (hash, code) => believed.set(`code:${hash}`, code, CODE_RECORD_LIFETIME),
      find: (hash) => believed.get<CodeRecord>(`code:${hash}`),
      replace: (hash, expected, code) =>
        believed.replace(`code:${hash}`, expected, code, CODE_RECORD_LIFETIME),
    },
    refresh: {
      create: (grantId, state, ttl) => believed.create(`refresh:${grantId}`, state, ttl),
      find: (grantId) => believed.get<RefreshState>(`refresh:${grantId}`),
      replace: (grantId, expected, state, ttl) =>
        believed.replace(`refresh:${grantId}`, expected, state, ttl),
    },
    relayedTokens,
    upstream: createUpstreamRecords({ raw: storage, believed }),
    machineGrants: {
      find: (key) => believed.get<MachineGrantRecord>(`machine-grant:${key}`),
      put: (key, expected, next, ttl) =>
        expected
          ? believed.replace(`machine-grant:${key}`, expected, next, ttl)
          : believed.create(`machine-grant:${key}`, next, ttl),
    },
    clients: createClientRecords(believed),
    devices: createDeviceRecords(believed),
    apiKeys: createApiKeys({ raw: storage, believed }, { revokedBefore }),
    clientDocuments: {
      find: (hash) => believed.get<ClientDocumentRecord>(`client-document:${hash}`),
      keep: (hash, document, ttl) => believed.set(`client-document:${hash}`, document, ttl),
    },
    serverScopes: {
      find: (hash) => believed.get<readonly ServerScopeRecord[]>(`server-scopes:${hash}`),
      keep: (hash, scopes, ttl) => believed.set(`server-scopes:${hash}`, scopes, ttl),
    },
    assertions: {
      use: (clientHash, jti, ttl) =>
        storage.create(`assertion:${sha256(`${clientHash} ${jti}`)}`, true, ttl),
    },
    interactions: {
      answer: (id, grantId, ttl) => storage.create(`interaction:${id}`, grantId, ttl),
      giveBack: (id, grantId, ttl) =>
        retryUntilStored(async () => {
          await deleteIf(storage, `interaction:${id}`, grantId)
        }, ttl),
      isAnswered: async (id) => (await storage.get(`interaction:${id}`)) !== undefined,
    },
    sessions: {
      touch: (grantId, ttl) => believed.set(`session:${grantId}`, true, ttl),
      isActive: async (grantId) => (await believed.get(`session:${grantId}`)) !== undefined,
    },
    signIns: {
      set: (signIn, ttl) => believed.set(`sign-in:${signIn.id}`, signIn, ttl),
      find: async (id) => unlessRevoked(await believed.get<SignIn>(`sign-in:${id}`)),
      async renew(signIn, ttl) {
        await believed.replace(`sign-in:${signIn.id}`, signIn, signIn, ttl)
      },
      end: (id) => storage.delete(`sign-in:${id}`),
      async *all() {
        // Only `set` above writes under this prefix.
        for await (const [, stored] of believed.scan('sign-in:')) yield stored as SignIn
      },
    },
    mcpSessions: {
      async claim(hash, sub, ttl) {
        const key = `mcp-session:${hash}`
        for (let tries = 0; tries < MOST_CLAIMS; tries += 1) {
          if (await believed.create(key, sub, ttl)) return sub
          const owner = await believed.get<string>(key)
          if (owner !== undefined) return owner
          // The record expired in between, or another program writes there.
        }
        throw new StorageUnavailable(new Error('the owner of an MCP session cannot be stored'))
      },
      async renew(hash, sub, ttl) {
        await believed.replace(`mcp-session:${hash}`, sub, sub, ttl)
      },
    },
    sessionCodes: {
      create: (hash, code) => believed.set(`session-code:${hash}`, code, SESSION_CODE_LIFETIME),
      find: (hash) => believed.get<SessionCodeRecord>(`session-code:${hash}`),
      take: (hash) => believed.take<SessionCodeRecord>(`session-code:${hash}`),
    },
  }
}

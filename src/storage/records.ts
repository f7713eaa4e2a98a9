/**
 * Typed records over the storage interface: every key prefix, record shape and lifetime stands here once.
 *
 * | key | holds | lives |
 * |---|---|---|
 * | `grant:<id>` | {@link Grant}, written once | until the grant expires or is revoked |
 * | `identity:<grant id>` | {@link GrantIdentity}, renewed at a refresh | as the grant |
 * | `refresh:<grant id>` | {@link RefreshState}, changed only by `replace` | idle time, at most the grant's |
 * | `code:<hash of the code>` | {@link CodeRecord} | 600 s, so that a replay is still recognised (K14) |
 * | `interaction:<id>` | true: the interaction has been answered | as long as the interaction could be |
 * | `signing-key:<period>` | a sealed signing key | as long as a token it signed |
 * | `lockout:<slot>` | failed logins of one of 65,536 slots (K3) | an hour after the last one |
 *
 * @module
 */
import type { Identity } from '../providers/provider.ts'
import type { Storage } from './storage.ts'

/** What a person allowed one client to do at one resource. The unit of revocation (decision K12). */
export interface Grant {
  readonly id: string
  readonly provider: string
  readonly issuer: string
  readonly subject: string
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

/** What is known of the person and may change. */
export type GrantIdentity = Omit<Identity, 'issuer' | 'subject'>

export interface CodeRecord {
  readonly grantId: string
  readonly clientHash: string
  readonly redirectUri: string
  readonly codeChallenge: string
  readonly resource: string
  readonly scopes: readonly string[]
  /** Seconds since the epoch. */
  readonly issuedAt: number
  /** Names the attempt that redeemed it. */
  readonly spentBy?: string
}

/** Which refresh tokens of a grant are alive (decision K15). `at` is in seconds since the epoch. */
export interface RefreshState {
  readonly current: number
  readonly parent: number
  readonly highest: number
  readonly at: number
}

export const CODE_RECORD_LIFETIME = 600

export interface Records {
  readonly grants: {
    /** Writes the grant after its identity, so that a grant is never seen without one. */
    create(grant: Grant, identity: GrantIdentity, now: number): Promise<void>
    find(id: string): Promise<Grant | undefined>
    findIdentity(id: string): Promise<GrantIdentity | undefined>
    /** True while {@link find} would find again what it found before; synchronous, where the store can. */
    readonly isLive: ((id: string) => boolean) | undefined
    /** Synchronous {@link findIdentity} where the store can. */
    readonly peekIdentity: ((id: string) => GrantIdentity | undefined) | undefined
    /** Ends the grant and with it every token of it. The grant goes first: it is what a check reads. */
    revoke(id: string): Promise<void>
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
  readonly interactions: {
    /** True for the one caller that may answer the interaction. */
    answer(id: string, ttlSeconds: number): Promise<boolean>
    /** True once {@link answer} was. */
    isAnswered(id: string): Promise<boolean>
  }
}

/**
 * @param storage any adapter
 * @param options `revokeBefore`: grants made before are as if they were gone; seconds since the epoch
 */
export function createRecords(
  storage: Storage,
  { revokeBefore = 0 }: { revokeBefore?: number } = {},
): Records {
  const unlessRevoked = (grant: Grant | undefined) =>
    grant && grant.createdAt >= revokeBefore ? grant : undefined
  const { peek, peekExists } = storage
  return {
    grants: {
      async create(grant, identity, now) {
        const ttl = grant.expiresAt - now
        await storage.set(`identity:${grant.id}`, identity, ttl)
        await storage.set(`grant:${grant.id}`, grant, ttl)
      },
      find: async (id) => unlessRevoked(await storage.get<Grant>(`grant:${id}`)),
      findIdentity: (id) => storage.get<GrantIdentity>(`identity:${id}`),
      isLive: peekExists && ((id) => peekExists.call(storage, `grant:${id}`)),
      peekIdentity:
        peek && ((id) => peek.call(storage, `identity:${id}`) as GrantIdentity | undefined),
      async revoke(id) {
        await storage.delete(`grant:${id}`)
        await storage.delete(`refresh:${id}`)
        await storage.delete(`identity:${id}`)
      },
      async *all() {
        // Only `create` above writes under this prefix.
        for await (const [, stored] of storage.scan('grant:')) {
          const grant = unlessRevoked(stored as Grant)
          if (grant) yield grant
        }
      },
    },
    codes: {
      create: (hash, code) => storage.set(`code:${hash}`, code, CODE_RECORD_LIFETIME),
      find: (hash) => storage.get<CodeRecord>(`code:${hash}`),
      replace: (hash, expected, code) =>
        storage.replace(`code:${hash}`, expected, code, CODE_RECORD_LIFETIME),
    },
    refresh: {
      create: (grantId, state, ttl) => storage.create(`refresh:${grantId}`, state, ttl),
      find: (grantId) => storage.get<RefreshState>(`refresh:${grantId}`),
      replace: (grantId, expected, state, ttl) =>
        storage.replace(`refresh:${grantId}`, expected, state, ttl),
    },
    interactions: {
      answer: (id, ttl) => storage.create(`interaction:${id}`, true, ttl),
      isAnswered: async (id) => (await storage.get(`interaction:${id}`)) !== undefined,
    },
  }
}

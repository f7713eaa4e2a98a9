/**
 * The Redis to use and how to reach it: the parsed `REDIS_URL`.
 *
 * @module
 */

/** The address of a server. */
export interface RedisHost {
  /** A name or an IP address, without brackets. */
  readonly host: string
  readonly port: number
}

interface Common {
  /** Servers, sentinels or nodes to contact first; never empty. */
  readonly hosts: readonly RedisHost[]
  readonly tls: boolean
  /** PEM of the authorities that TLS trusts; absent: those of Node. */
  readonly ca?: string
  /** An ACL user; absent: the default one. */
  readonly username?: string
  readonly password?: string
  /** Begins the name of every key and channel. Absent: `gw:`. */
  readonly keyPrefix?: string
}

export type RedisTarget =
  | (Common & { readonly kind: 'single'; readonly db: number })
  | (Common & {
      readonly kind: 'sentinel'
      readonly db: number
      /** The sentinels' name for the group of servers. */
      readonly master: string
      readonly sentinelUsername?: string
      readonly sentinelPassword?: string
    })
  | (Common & { readonly kind: 'cluster' })

/**
 * The shape of a loaded configuration, in domain words. `load.ts` makes one; everything else reads its slice.
 * Durations are whole seconds. All of it is frozen.
 *
 * @module
 */

import type { IdentityValue } from '../check/identity-headers.ts'
import type { StaticTokenConfig } from '../credentials/static-tokens.ts'
import type { ClientConfig } from '../oauth/clients/client.ts'
import type { ProviderConfig, UserConfig } from '../providers/provider-config.ts'
import type { ResourceConfig } from '../resources/resource-table.ts'
import type { RedisTarget } from '../storage/redis/topology.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface Config {
  /** The gateway's own origin, without trailing slash; `host` is lower-case with a non-default port. */
  readonly publicUrl: { readonly origin: string; readonly host: string; readonly secure: boolean }
  readonly listen: { readonly host: string; readonly port: number }
  readonly dataDir: string
  /** The store, instead of one in `dataDir`. */
  readonly redis?: RedisTarget
  /** How long what was checked before counts while Redis does not answer. */
  readonly maxStale: number
  /** Root of all derived keys; absent: made in `dataDir`. */
  readonly secret?: string
  /** Former roots, newest first: they open, never seal. */
  readonly secretPrevious: readonly string[]
  readonly resources: readonly ResourceConfig[]
  /** Addresses and CIDRs whose forwarded headers count. */
  readonly trustedProxies: readonly string[]
  readonly provider: ProviderConfig
  readonly users: readonly UserConfig[]
  readonly lifetimes: {
    readonly accessToken: number
    readonly grant: number
    readonly grantIdle: number
    readonly refreshGrace: number
    /** Of a signed-in browser: at most, and without a request. */
    readonly session: number
    readonly sessionIdle: number
  }
  /** Whose hosts share one browser session: that of `publicUrl` or a domain above it. */
  readonly cookieDomain?: string
  /** Command lines may be handed a browser's session. */
  readonly edgeAuth: boolean
  /** Origins whose browsers may call, beside a resource's own and ours; `loopback` for all of this computer; `'*'` for any. */
  readonly allowedOrigins: '*' | readonly string[]
  readonly clients: readonly ClientConfig[]
  readonly staticTokens: readonly StaticTokenConfig[]
  /** Who may register: anyone, nobody, or clients that redirect to these hosts and app schemes (`cursor:`). */
  readonly registration: 'open' | 'off' | readonly string[]
  /** How long a registered client is known; absent: for ever. */
  readonly clientLifetime?: number
  /** Grants made before are dead. Seconds since the epoch. */
  readonly revokeBefore?: number
  /** The headers that tell a server who calls, each with what it says. */
  readonly identityHeaders: Readonly<Record<string, IdentityValue>>
  /** Requests a minute and address at endpoints that anybody can call; 0 is no limit. */
  readonly rateLimit: number
  readonly logLevel: LogLevel
}

/**
 * This folder owns every setting, once, and loads them all into one frozen `Config`. It owns no options: the folder
 * that reads an option declares its type.
 *
 * `Config` is all that the rest of the program sees of this folder, in domain words. Durations are whole seconds.
 *
 * @module
 */

import type { IdentityValue } from '../check/identity-headers.ts'
import type { StaticTokenConfig } from '../credentials/static-tokens.ts'
import type { LimitGroup } from '../http/rate-limit.ts'
import type { ClientConfig } from '../oauth/clients/client.ts'
import type { MetadataHosts } from '../oauth/clients/metadata-hosts.ts'
import type { BroughtKey } from '../oauth/tokens/brought-key.ts'
import type { BrandOptions } from '../pages/brand.ts'
import { CALLBACK_PATH } from '../paths.ts'
import type { NewUser, ProviderConfig, UserConfig } from '../providers/provider-config.ts'
import type { DiscoveryAt } from '../resources/document-address.ts'
import type { ResourceConfig } from '../resources/resource-table.ts'
import type { RedisTarget } from '../storage/redis/topology.ts'

/** The levels of pino. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
/** `json` for programs, `text` for people. */
export type LogFormat = 'json' | 'text'

export interface Config {
  /** The gateway's own origin, without a trailing slash. `host` is lower-case, with any port but the default. */
  readonly publicUrl: { readonly origin: string; readonly host: string; readonly secure: boolean }
  /** Begins the paths of the gateway on its own host, such as `/auth-gw`. Absent: they are at the root. */
  readonly pathPrefix?: string
  /** The path to which the provider sends people back. Absent: `/callback`. */
  readonly callbackPath?: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly dataDir: string
  /** The Redis that holds the store; absent: the store is in `dataDir`. */
  readonly redis?: RedisTarget
  /** How long earlier checks count while Redis does not answer. */
  readonly maxStale: number
  /** How long a proxied request may be silent; 0 means no limit. */
  readonly upstreamIdle: number
  /** Absent: the defaults of pass-through. */
  readonly upstreamLimits?: {
    /** Bytes of the body of a request; 0 means no limit. */
    readonly body: number
    /** Bytes of the headers of an answer. */
    readonly headers: number
    /** Requests and streams that a person may have open at once; 0 means no limit. */
    readonly perPerson: { readonly requests: number; readonly streams: number }
  }
  /** Root of all derived keys; absent: `cli/root-secret.ts` makes one in `dataDir`. */
  readonly secret?: string
  /** Former roots, newest first. They open sealed values and never seal new ones. */
  readonly secretPrevious: readonly string[]
  /** The operator's signing key; absent: Gatewarden makes and rotates its own. */
  readonly signingKey?: BroughtKey
  readonly resources: readonly ResourceConfig[]
  /** Another address of the check. */
  readonly protectedPath: string
  /** A question from this machine without any forwarded header is about the only resource (decision K40). */
  readonly directChecks: boolean
  /** The host that serves the documents which challenges name. */
  readonly discoveryAt: DiscoveryAt
  /** Addresses and CIDRs whose forwarded headers count. */
  readonly trustedProxies: readonly string[]
  readonly provider: ProviderConfig
  readonly users: readonly UserConfig[]
  /** People without a password: `cli/given-passwords.ts` makes each one in `dataDir`. */
  readonly newUsers: readonly NewUser[]
  /** Clients get the provider's own tokens. Absent: they get ours. */
  readonly clientTokens?: 'provider'
  readonly lifetimes: {
    readonly accessToken: number
    readonly grant: number
    readonly grantIdle: number
    readonly refreshGrace: number
    /** The most that a browser session lasts, and the most it lasts without a request. */
    readonly session: number
    readonly sessionIdle: number
  }
  /** The domain whose hosts share one browser session: the host of `publicUrl` or a domain above it. */
  readonly cookieDomain?: string
  /** Our answers on our own host tell browsers to use https alone. */
  readonly hsts: boolean
  /** Command-line tools may get the session of a browser. */
  readonly edgeAuth: boolean
  /** Origins that may call besides our own; `loopback` is any on the browser's own computer, `'*'` is any at all. */
  readonly allowedOrigins: '*' | readonly string[]
  readonly clients: readonly ClientConfig[]
  /** The name of the header that API keys may come in. */
  readonly apiKeyHeader: string
  readonly staticTokens: readonly StaticTokenConfig[]
  /** The clients that may register: any, none, or those that redirect to these hosts and app schemes (`cursor:`). */
  readonly registration: 'open' | 'off' | readonly string[]
  readonly clientMetadata: {
    readonly hosts: MetadataHosts
    /** The texts of documents that are never fetched, by their URLs. */
    readonly pinned: Readonly<Record<string, string>>
    /** Documents on this machine count: for development. */
    readonly loopback: boolean
  }
  /** How long a registration is valid; absent: for ever. */
  readonly clientLifetime?: number
  /** Grants made before this time are invalid. Seconds since the epoch. */
  readonly revokeBefore?: number
  /** The headers that tell a server who calls, each with the value it carries. */
  readonly identityHeaders: Readonly<Record<string, IdentityValue>>
  /** Requests per minute and client address at endpoints that anybody can call; 0 means no limit. */
  readonly rateLimit: number
  /** The same for single groups of endpoints. */
  readonly rateLimits?: Readonly<Partial<Record<LimitGroup, number>>>
  /** Seconds that the process goes on after SIGTERM, and that open requests get after that. */
  readonly shutdown: { readonly delay: number; readonly timeout: number }
  /** The look of the pages. */
  readonly brand: BrandOptions
  readonly logLevel: LogLevel
  /** Absent: `text` on a terminal, else `json`. */
  readonly logFormat?: LogFormat
}

/** The issuer, without a trailing slash: every address of ours on our own host begins with it. */
export const issuerOf = ({
  publicUrl,
  pathPrefix = '',
}: Pick<Config, 'publicUrl' | 'pathPrefix'>) => publicUrl.origin + pathPrefix

/** The redirect URI to register at the provider. */
export const redirectUriOf = (config: Config): string =>
  issuerOf(config) + (config.callbackPath ?? CALLBACK_PATH)

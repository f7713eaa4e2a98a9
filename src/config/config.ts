/**
 * The shape of a loaded configuration, in domain words. `load.ts` makes one; everything else reads its slice.
 * Durations are whole seconds. All of it is frozen.
 *
 * @module
 */

import type { RedisTarget } from '../storage/redis-target.ts'

/** Who may pass: a person who matches any entry of any list. */
export interface AllowList {
  /** True for `*`: anyone who can log in. */
  readonly anyone: boolean
  /** Lower-cased e-mail addresses; only verified addresses match. */
  readonly emails: readonly string[]
  /** Lower-cased mail domains, without `@`. */
  readonly domains: readonly string[]
  readonly groups: readonly string[]
}

/** One protected MCP server as configured. */
export interface ResourceConfig {
  /** Names the pinned endpoints (`/auth/traefik/r/<id>`): `[A-Za-z0-9._-]{1,64}`. */
  readonly id: string
  /** Canonical URL: http or https, lower-case host (may start with `*.`), no default port, no trailing slash, no query. The audience of its tokens. */
  readonly url: string
  /** Shown to people. */
  readonly name: string
  /** Scope -> what it means in words. Never empty. */
  readonly scopes: Readonly<Record<string, string>>
  readonly requiredScopes: readonly string[]
  readonly defaultScopes: readonly string[]
  /** Further absolute paths on the same host that belong to it. */
  readonly also: readonly string[]
  /** The one meant when a client names none. */
  readonly isDefault: boolean
  readonly allow: AllowList
  /** The provider's own access tokens are bearers here, beside ours. */
  readonly acceptProviderTokens: boolean
  /** Where the server really is, when Gatewarden is its reverse proxy too. */
  readonly upstream?: string
}

/** One person of the built-in login. */
export interface UserConfig {
  /** The name in the file, as written; matched without regard to case. */
  readonly name: string
  readonly email?: string
  readonly displayName?: string
  readonly groups: readonly string[]
  /** PHC string, `$argon2id$v=19$...`. */
  readonly passwordHash: string
}

/** A provider people are sent to. */
export interface RedirectProviderConfig {
  readonly type: 'oidc' | 'keycloak' | 'google'
  /** Stands in every grant of its people: under another id they sign in again. */
  readonly id: string
  /** http or https, without a slash at its end. */
  readonly issuerUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** The claim that lists a person's groups. */
  readonly groupsClaim: string
  /** Google Workspace domains, in lower case, that people must be managed by; none is everyone. */
  readonly hostedDomains: readonly string[]
  /** Further clients at the provider whose access tokens are good where provider tokens are accepted. */
  readonly tokenClients: readonly string[]
  /** The issuer is plain http, on this machine or because `DEV_MODE` allows it. */
  readonly allowInsecure: boolean
}

/** Who says who somebody is. */
export type ProviderConfig = { readonly type: 'builtin' } | RedirectProviderConfig

/** A client known beforehand. */
export interface ClientConfig {
  readonly id: string
  readonly name: string
  /** Absent: a public client. */
  readonly secret?: string
  readonly redirectUris: readonly string[]
  /** All it may be granted; absent: whatever a resource offers. */
  readonly scopes?: readonly string[]
  readonly grantTypes: readonly ('authorization_code' | 'refresh_token')[]
  readonly authMethod: 'none' | 'client_secret_basic' | 'client_secret_post'
}

/** A fixed token of a program. */
export interface StaticTokenConfig {
  /** Shown to servers as the user: `[A-Za-z0-9._-]{1,64}`. */
  readonly name: string
  /** SHA-256 of it, base64url. */
  readonly tokenHash: string
  /** All it carries; absent: whatever a resource offers. */
  readonly scopes?: readonly string[]
  /** The ids of those it opens; absent: every one. */
  readonly resources?: readonly string[]
}

/** What an identity header can say of a caller. */
export type IdentityValue = 'user' | 'email' | 'groups' | 'scopes' | 'client' | 'id' | 'name'

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

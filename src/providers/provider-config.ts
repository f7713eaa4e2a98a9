/**
 * The settings of providers and of built-in users.
 *
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { lowerCase } from '../identifiers.ts'
import type { PresetName } from './presets.ts'

/** The issuer of built-in people: not a URL, so that it outlives a change of the gateway's address. */
export const BUILTIN_ISSUER = 'builtin'

/** The subject of a built-in person at {@link BUILTIN_ISSUER}. */
export const builtinSubject = (name: string): string => lowerCase(name)

/** A person of the built-in login. */
export interface UserConfig {
  /** The name in the file, as written; matched without regard to case. */
  readonly name: string
  readonly email?: string
  readonly displayName?: string
  readonly groups: readonly string[]
  /** PHC string, `$argon2id$v=19$...`. */
  readonly passwordHash: string
}

/** A person whose password Gatewarden makes at the first start. */
export type NewUser = Omit<UserConfig, 'passwordHash'>

/** How our client authenticates at the provider: its secret in a header, or in the form. */
export type TokenEndpointAuthMethod = 'client_secret_basic' | 'client_secret_post'

/** How our own calls get to a provider. Without both, directly, and by certificates of public authorities. */
export interface WayToProvider {
  /** Certificates (PEM) of the authorities that count, in place of the public ones. */
  readonly authorities?: string
  /** http or https; with a name and a password in it, if the proxy wants them. */
  readonly proxy?: string
}

/** A provider that people are sent to. */
export interface RedirectProviderConfig {
  readonly type: 'oidc' | 'keycloak' | 'google' | PresetName
  /** Every grant of its people holds this id: under another id they sign in again. */
  readonly id: string
  /** http or https, without a slash at its end. */
  readonly issuerUrl: string
  /** The address of the discovery document, if it is not below the issuer. */
  readonly discoveryUrl?: string
  readonly clientId: string
  readonly clientSecret: string
  readonly way?: WayToProvider
  /** True if people are asked about again at each refresh of a client. */
  readonly rechecks?: true
  /** Without it, the discovery document decides. */
  readonly tokenEndpointAuthMethod?: TokenEndpointAuthMethod
  /** Scopes of the authorization request, `openid` among them. Default: `openid email profile`. */
  readonly scopes?: readonly string[]
  /** The claim that lists a person's groups. */
  readonly groupsClaim: string
  /** `oidc` and presets: the provider gives each user name to one person only. Default: false. */
  readonly uniqueUsernames?: boolean
  /** Google Workspace domains, as A-labels, that must manage a person's account; empty admits everyone. */
  readonly hostedDomains: readonly string[]
  /** The directory of the Google Workspace: it says who is suspended, and who is in which group. */
  readonly directory?: GoogleDirectoryConfig
  /** Further clients at the provider whose access tokens are good where provider tokens are accepted. */
  readonly tokenClients: readonly string[]
  /**
   * True if the issuer is plain http, on this machine or because `DEV_MODE` allows it, or if `discoveryUrl` is. The
   * provider may then name endpoints with plain http.
   */
  readonly allowInsecure: boolean
}

/** The directory of a Google Workspace, read by a service account. */
export interface GoogleDirectoryConfig {
  /** The base of the API, without a slash at its end. */
  readonly url: string
  /** Where assertions of the account are exchanged for tokens. */
  readonly tokenUrl: string
  readonly clientEmail: string
  readonly keyId?: string
  /** RSA. */
  readonly privateKey: KeyObject
  /** The e-mail address of the administrator for whom the account acts. */
  readonly subject: string
  /** The groups, in lower case, that lists name: the only ones that are kept of an account in very many. */
  readonly namedGroups: readonly string[]
}

/** GitHub, or a GitHub Enterprise. */
export interface GithubProviderConfig {
  readonly type: 'github'
  /** See {@link RedirectProviderConfig.id}. */
  readonly id: string
  /** The origin where people sign in; its people are keyed by it. */
  readonly issuerUrl: string
  /** The base of the REST API, without a slash at its end. */
  readonly apiUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly way?: WayToProvider
  /** True if people are asked about again at each refresh of a client. */
  readonly rechecks?: true
  /** Scopes of the authorization request; organisations and teams are read only if `read:org` is among them. */
  readonly scopes: readonly string[]
  /** The organisations, in lower case, that memberships count of; empty: no membership is read. */
  readonly organisations: readonly string[]
}

/** Microsoft Entra ID. */
export interface EntraProviderConfig {
  readonly type: 'entra'
  /** See {@link RedirectProviderConfig.id}. */
  readonly id: string
  /** The authority where people sign in: that of the tenant, or the one for all organisations. */
  readonly issuerUrl: string
  /** The base of authorities, without a slash at its end. */
  readonly baseUrl: string
  /** The base of Microsoft Graph, without a slash at its end. */
  readonly graphUrl: string
  /** The ids, in lower case, of the tenants whose people are let in; at least one. */
  readonly tenants: readonly string[]
  readonly clientId: string
  readonly clientSecret: string
  readonly way?: WayToProvider
  /** True if people are asked about again at each refresh of a client. */
  readonly rechecks?: true
  readonly tokenEndpointAuthMethod?: TokenEndpointAuthMethod
  /** See {@link RedirectProviderConfig.scopes}. */
  readonly scopes?: readonly string[]
  /** Mail domains, as A-labels, whose addresses count without a statement of Entra; only with a single tenant. */
  readonly verifiedDomains: readonly string[]
  /** The groups that lists name: the only ones that are kept of a person in more groups than a token takes. */
  readonly namedGroups: readonly string[]
  /** See {@link RedirectProviderConfig.allowInsecure}. */
  readonly allowInsecure: boolean
}

/** A provider elsewhere. */
export type RemoteProviderConfig =
  | RedirectProviderConfig
  | GithubProviderConfig
  | EntraProviderConfig

/** The provider that identifies people. */
export type ProviderConfig = { readonly type: 'builtin' } | RemoteProviderConfig

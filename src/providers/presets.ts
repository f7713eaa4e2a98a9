/**
 * OpenID Connect providers that need no code of their own: only a name, scopes, or the form of their groups. Pure data;
 * with `PROVIDER=oidc` and more settings each of them works as well.
 *
 * @module
 */
import { claimAt } from './claim-path.ts'
import type { Claims } from './provider.ts'

export interface Preset {
  /** Shown to people. */
  readonly name: string
  /** The form of its issuer, for problems of the configuration. */
  readonly issuerExample: string
  /** The issuer of the hosted service, which a setting replaces. */
  readonly issuerUrl?: string
  /** Default of the claim that lists groups. */
  readonly groupsClaim?: string
  /** Scopes beside `openid email profile`; some issuers refuse scopes that they do not know. */
  scopes?(issuer: URL): readonly string[]
  /** True if the claim for groups is an object, whose keys are the groups. */
  readonly groupsAreKeys?: true
  /** A fault of an issuer that people often write, with its fix. */
  faultOf?(issuer: URL): string | undefined
}

const withGroups = () => ['groups']

const TABLE = {
  auth0: { name: 'Auth0', issuerExample: 'https://my-tenant.eu.auth0.com' },
  okta: {
    name: 'Okta',
    issuerExample: 'https://my-org.okta.com',
    // The organisation's own server knows the scope; a custom one refuses it unless somebody added it.
    scopes: ({ pathname }) => (pathname === '/' ? ['groups'] : []),
    faultOf: ({ hostname }) =>
      /-admin\.okta/.test(hostname)
        ? 'is the admin console. Leave -admin out of the host.'
        : undefined,
  },
  gitlab: {
    name: 'GitLab',
    issuerExample: 'https://gitlab.example.com',
    issuerUrl: 'https://gitlab.com',
  },
  authentik: {
    name: 'authentik',
    issuerExample: 'https://authentik.example.com/application/o/gatewarden',
    faultOf: ({ pathname }) =>
      /^\/application\/o\/[^/]+\/?$/.test(pathname)
        ? undefined
        : 'is not the issuer of an application. Write it like https://authentik.example.com/application/o/gatewarden; if the provider there has the issuer mode "global", set DISCOVERY_URL to that address.',
  },
  authelia: {
    name: 'Authelia',
    issuerExample: 'https://auth.corp.example.com',
    scopes: withGroups,
  },
  zitadel: {
    name: 'ZITADEL',
    issuerExample: 'https://my-instance.zitadel.cloud',
    groupsClaim: 'urn:zitadel:iam:org:project:roles',
    groupsAreKeys: true,
  },
  'pocket-id': {
    name: 'Pocket ID',
    issuerExample: 'https://id.example.com',
    scopes: withGroups,
  },
} as const satisfies Record<string, Preset>

export type PresetName = keyof typeof TABLE

export const PRESETS: Readonly<Record<PresetName, Preset>> = TABLE

export const isPreset = (type: string): type is PresetName => Object.hasOwn(TABLE, type)

/** The same claims with a list for groups, where the provider states an object of roles. */
export function keysAsGroups(claims: Claims, groupsClaim: string): Claims {
  const stated = claimAt(claims, groupsClaim)
  if (typeof stated !== 'object' || stated === null || Array.isArray(stated)) return claims
  return { ...claims, [groupsClaim]: Object.keys(stated) }
}

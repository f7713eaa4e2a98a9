/**
 * The request headers that a protected server may take for a proxy's statement about the request or the caller. A
 * client's own never reach that server (threat T42). This is the only list: pass-through reads it, and the files for
 * other proxies are generated from it (`npm run docs:headers`).
 *
 * @module
 */

/**
 * Families of headers, each with the names that are known. A proxy that knows no prefixes can stop only these names.
 */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  'Cf-Access-': [
    'Authenticated-User-Email',
    'Client-Id',
    'Client-Secret',
    'Jwt-Assertion',
    'Token',
  ],
  'Oidc-': ['Access-Token', 'Claim-Email', 'Claim-Preferred-Username', 'Claim-Sub', 'Id-Token'],
  'Remote-': ['Addr', 'Email', 'Groups', 'Name', 'User'],
  'Ssl-Client-': ['Cert', 'Issuer-Dn', 'S-Dn', 'Subject-Dn', 'Verify'],
  'Tailscale-User-': ['Login', 'Name', 'Profile-Pic'],
  'X-Amzn-Oidc-': ['Accesstoken', 'Data', 'Identity'],
  'X-Auth-Request-': ['Access-Token', 'Email', 'Groups', 'Preferred-Username', 'Redirect', 'User'],
  'X-Authenticated-': ['Email', 'Groups', 'Scope', 'User', 'Userid'],
  'X-Authentik-': ['Email', 'Entitlements', 'Groups', 'Jwt', 'Name', 'Uid', 'Username'],
  'X-Consumer-': ['Custom-Id', 'Groups', 'Id', 'Username'],
  'X-Envoy-Original-': ['Dst-Host', 'Host', 'Path'],
  'X-Forwarded-': [
    'Access-Token',
    'By',
    'Client',
    'Client-Cert',
    'Email',
    'For',
    'Groups',
    'Host',
    'Method',
    'Path',
    'Port',
    'Preferred-Username',
    'Prefix',
    'Proto',
    'Protocol',
    'Roles',
    'Scheme',
    'Scopes',
    'Server',
    'Ssl',
    'Tls-Client-Cert',
    'Tls-Client-Cert-Info',
    'Uri',
    'Url',
    'User',
  ],
  'X-Goog-Authenticated-User-': ['Email', 'Id'],
  'X-Goog-Iap-': ['Jwt-Assertion'],
  'X-Ms-Client-Principal': ['', '-Id', '-Idp', '-Name'],
  'X-Original-': ['Forwarded-For', 'Host', 'Method', 'Path', 'Proto', 'Remote-Addr', 'Uri', 'Url'],
  'X-Pomerium-': ['Authorization', 'Claim-Email', 'Claim-Groups', 'Claim-User', 'Jwt-Assertion'],
  'X-Remote-': ['Addr', 'Email', 'Extra-Scopes', 'Group', 'Groups', 'Name', 'Uid', 'User'],
  'X-Rewrite-': ['Uri', 'Url'],
  'X-Ssl-Client-': ['Cert', 'Dn', 'S-Dn', 'Verify'],
  'X-User-': ['Admin', 'Email', 'Groups', 'Id', 'Name', 'Role', 'Roles'],
  'X-Webauth-': ['Email', 'Groups', 'Name', 'Role', 'User'],
}

const SINGLE_NAMES: readonly string[] = [
  'Forwarded',
  'Front-End-Https',
  'Proxy',
  'True-Client-Ip',
  'X-Auth-User',
  'X-Client-Ip',
  'X-Cluster-Client-Ip',
  'X-Forwarded',
  'X-Host',
  'X-Real-Ip',
  'X-Scheme',
  'X-Script-Name',
  'X-Url-Scheme',
  'X-User',
]

/** The beginning of every name of a family. */
export const UNTRUSTED_FAMILIES: readonly string[] = Object.keys(FAMILIES)

/** Every known name. */
export const UNTRUSTED_HEADERS: readonly string[] = [
  ...SINGLE_NAMES,
  ...Object.entries(FAMILIES).flatMap(([family, names]) => names.map((name) => family + name)),
]

/** The names of {@link UNTRUSTED_HEADERS} that belong to no family. */
export const UNTRUSTED_NAMES = SINGLE_NAMES

/** A proxy that connects clients writes these itself, in place of the client's. */
export const WRITTEN_BY_PROXIES: readonly string[] = [
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Proto',
  'X-Real-Ip',
]

/**
 * Many servers turn every character but letters and digits into `_` (CGI, RFC 3875 section 4.1.18): `X_Forwarded_User`
 * and `X.Forwarded.User` are `X-Forwarded-User` to them (CVE-2025-64484).
 */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}

const names = new Set(SINGLE_NAMES.map(canonicalName))
const families = UNTRUSTED_FAMILIES.map(canonicalName)

/** @param canonical a name in the spelling of {@link canonicalName} */
export function isUntrusted(canonical: string): boolean {
  return names.has(canonical) || families.some((family) => canonical.startsWith(family))
}

/**
 * The addresses of login, sessions and OAuth endpoints.
 *
 * @module
 */

/** The pages of a sign-in are below `/authorize`, so a proxy that routes only the endpoints carries them too. */
export const CONSENT_PATH = '/authorize/consent'
export const LOGIN_PATH = '/authorize/login'

/** Other addresses of the same pages. */
export const CONSENT_ALIAS = '/consent'
export const LOGIN_ALIAS = '/login'

export const CALLBACK_PATH = '/callback'

/** Where a person types the code that a device shows (RFC 8628 section 3.3), and the pages after their answer. */
export const DEVICE_PATH = '/device'
export const DEVICE_ALLOWED_PATH = '/device/allowed'
export const DEVICE_DENIED_PATH = '/device/denied'

/** Every path of the authorization server that its metadata names. */
export const ENDPOINTS = {
  authorization: '/authorize',
  deviceAuthorization: '/device_authorization',
  token: '/token',
  registration: '/register',
  revocation: '/revoke',
  introspection: '/introspect',
  jwks: '/jwks',
} as const

/** Another address of the keys, which programs know that were set up for other gateways. */
export const JWKS_ALIAS = '/openid/v1/jwks'

/** Where a client reads and deletes its own registration. */
export const CLIENT_CONFIGURATION_PATH = '/register/client'

export const PROTECTED_RESOURCE = '/.well-known/oauth-protected-resource'

/**
 * Below it, on our own host, are the documents of servers on other hosts: `/<host>/<path as asked>`. A server of our own
 * host can be at such a path only under `PATH_PREFIX`, and its document is found if the path names no other host.
 */
export const DOCUMENTS_OF_OTHERS = `${PROTECTED_RESOURCE}/auth/r`

/** RFC 8414 section 3.1, and OIDC Discovery 1.0 section 4. */
export const AUTHORIZATION_SERVER = [
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
] as const

/** True for the two that clients of MCP 2025-03-26 ask at the root of a host (decision K37). */
export const isRootDocument = (path: string): boolean =>
  AUTHORIZATION_SERVER.some((name) => path === name)

/** Our well-known documents, with and without a path behind; any other belongs to the application of the host. */
export const WELL_KNOWN_DOCUMENTS: readonly string[] = [PROTECTED_RESOURCE, ...AUTHORIZATION_SERVER]

export const SESSION_LOGIN_PATH = '/.gatewarden/login'

export const SESSION_CALLBACK_PATH = '/.gatewarden/callback'

/** Tells a person that a sign-in did not arrive at its host; on the gateway's own host only. */
export const SESSION_REFUSED_PATH = '/.gatewarden/refused'

/** Signs out on the gateway's own host, and with it everywhere under the cookie domain. */
export const LOGOUT_PATH = '/logout'

/** Signs out on the host of the request; on the gateway's own host too. */
export const SESSION_LOGOUT_PATH = '/.gatewarden/logout'

export const CONNECT_PATH = '/auth/connect'

export const HEALTH_PATH = '/healthz'

/** mcpauth's address of the same, which its health checks ask. */
export const HEALTH_ALIAS = '/health'

/** Our paths on a protected host. If a check asks about them, the proxy does not route them to us. */
export const OWN_PATHS = '/.gatewarden/'

/**
 * Every address that we answer on the gateway's own host. An entry with a final slash covers everything below it too. No
 * client may redirect there, in any spelling (threat T6).
 */
export const OWN_ROUTES: readonly string[] = [
  CONSENT_ALIAS,
  LOGIN_ALIAS,
  CALLBACK_PATH,
  LOGOUT_PATH,
  `${DEVICE_PATH}/`,
  ENDPOINTS.deviceAuthorization,
  // With the pages of a sign-in.
  `${ENDPOINTS.authorization}/`,
  ENDPOINTS.token,
  `${ENDPOINTS.registration}/`,
  ENDPOINTS.revocation,
  ENDPOINTS.introspection,
  ENDPOINTS.jwks,
  JWKS_ALIAS,
  // The check, for every family of proxies, and the connection of command lines.
  '/auth/',
  '/verify',
  '/authenticate',
  // mcpauth's address of the check, unless `PROTECTED_PATH` says another.
  '/sse',
  '/_ws_tunnel/',
  HEALTH_PATH,
  HEALTH_ALIAS,
  '/readyz',
  OWN_PATHS,
  '/.well-known/',
]

/** Our well-known documents stay at the root of the host (RFC 8414 section 3.1, RFC 9728 section 3.1). */
const WELL_KNOWN = '/.well-known/'

/**
 * Every path on our own host that is ours, in the form of {@link OWN_ROUTES}.
 * @param prefix of `PATH_PREFIX`; empty without one
 * @param callbackPath of `CALLBACK_PATH`
 */
export const ownRoutes = (prefix: string, callbackPath = CALLBACK_PATH): readonly string[] =>
  prefix === '' ? [...OWN_ROUTES, callbackPath] : [`${prefix}/`, WELL_KNOWN]

/** `PATH_PREFIX`, which our issuer ends in; empty without one. */
export function prefixOf(issuer: string): string {
  const { pathname } = new URL(issuer)
  return pathname === '/' ? '' : pathname
}

/** The origin of our own host: the issuer without `PATH_PREFIX`. */
export const originOf = (issuer: string): string => new URL(issuer).origin

/**
 * The path of an address of ours on our own host, for a form or a redirect. An absolute address is `issuer + path`.
 * @param path such as {@link LOGIN_PATH}
 */
export const ownPath = (issuer: string, path: string): string => prefixOf(issuer) + path

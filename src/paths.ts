/**
 * Where the steps of the login are.
 *
 * @module
 */

export const CONSENT_PATH = '/consent'
export const LOGIN_PATH = '/login'
export const CALLBACK_PATH = '/callback'

/** Every path of the authorization server that its metadata names. */
export const ENDPOINTS = {
  authorization: '/authorize',
  token: '/token',
  registration: '/register',
  jwks: '/jwks',
} as const

export const PROTECTED_RESOURCE = '/.well-known/oauth-protected-resource'

export const SESSION_LOGIN_PATH = '/.gatewarden/login'

export const SESSION_CALLBACK_PATH = '/.gatewarden/callback'

/** Signs out on the gateway's own host, and with it everywhere under the cookie domain. */
export const LOGOUT_PATH = '/logout'

/** Signs out on the host it is asked at; the gateway's own, too. */
export const SESSION_LOGOUT_PATH = '/.gatewarden/logout'

export const CONNECT_PATH = '/auth/connect'

/** Paths of ours on a protected host: a check that is asked about them means that they are not routed to us. */
export const OWN_PATHS = '/.gatewarden/'

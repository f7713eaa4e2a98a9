/**
 * Where the steps of the login are.
 *
 * @module
 */

export const CONSENT_PATH = '/consent'
export const LOGIN_PATH = '/login'
export const CALLBACK_PATH = '/callback'

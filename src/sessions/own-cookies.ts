/**
 * Recognises the cookies that this program sets.
 *
 * @module
 */
import { isSessionCookie } from './cookies.ts'

/** True for every cookie this program sets, so that none of them reaches a protected server. */
export const isOwnCookie = (name: string): boolean =>
  /^(?:__(?:Host|Secure)-)?gw_/.test(name) || isSessionCookie(name)

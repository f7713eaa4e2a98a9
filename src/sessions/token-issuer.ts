/**
 * Makes the token of a session out of its grant.
 *
 * @module
 */
import { subjectOf } from '../oauth/subject.ts'
import type { Grant, Records } from '../records/records.ts'
import type { SessionTokens } from './cookie-token.ts'

export interface IssuedSession {
  readonly token: string
  /** Seconds that are left of the session. */
  readonly seconds: number
}

/** @param email the address that the provider verified, if it did */
export type IssueSession = (grant: Grant, email: string | undefined) => Promise<IssuedSession>

/** @param deps `idle` in seconds, `now` in milliseconds since the epoch */
export function createSessionIssuer(deps: {
  tokens: SessionTokens
  sessions: Records['sessions']
  idle: number
  now: () => number
}): IssueSession {
  const { tokens, sessions, idle, now } = deps
  return async (grant, email) => {
    const iat = Math.floor(now() / 1000)
    const seconds = Math.max(1, grant.expiresAt - iat)
    // This comes before the token leaves: without it the session counts as idle for too long.
    await sessions.touch(grant.id, Math.min(idle, seconds))
    const token = await tokens.issue({
      sub: subjectOf(grant),
      aud: grant.resource,
      scope: grant.scopes.join(' '),
      gid: grant.id,
      iat,
      exp: grant.expiresAt,
      ...(email !== undefined && { email }),
    })
    return { token, seconds }
  }
}

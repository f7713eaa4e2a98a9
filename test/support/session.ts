/**
 * Browser sessions without the way through the login: the records that the login stores, and the cookie that it sets.
 *
 * @module
 */
import { randomToken, sha256 } from '../../src/crypto.ts'
import { subjectOf } from '../../src/oauth/subject.ts'
import { loadSigningKeys } from '../../src/oauth/tokens/signing-keys.ts'
import { createBuiltinProvider } from '../../src/providers/builtin.ts'
import { createRecords, type Grant, type Records } from '../../src/records/records.ts'
import {
  createSessionTokens,
  type SessionClaims,
  type SessionTokens,
} from '../../src/sessions/cookie-token.ts'
import { domainCookieName } from '../../src/sessions/cookies.ts'
import type { TestApp } from './build-app.ts'
import { ISSUER, keyDeps, testKeyring } from './signing.ts'

export interface TestSession {
  readonly grant: Grant
  readonly token: string
  /** The `Cookie` header of a protected host of its own. */
  readonly cookie: string
  readonly tokens: SessionTokens
  readonly records: Records
}

/** The cookie of one https host, the one that the hosts of a domain share, and the one that command lines send. */
export const HOST_COOKIE = '__Host-gw_session'
export const DOMAIN_COOKIE = domainCookieName(ISSUER)
export const HAND_COOKIE = 'CF_Authorization'

/** Makes a session of ann's at the notes, changed as a test needs it; claims change without the grant. */
export async function makeSession(
  test: Pick<TestApp, 'storage' | 'clock' | 'config'>,
  changes: { grant?: Partial<Grant>; claims?: Partial<SessionClaims> } = {},
): Promise<TestSession> {
  const { storage, clock, config } = test
  const { session: lifetime, sessionIdle } = config.lifetimes
  const now = Math.floor(clock() / 1000)
  const person = { issuer: 'builtin', subject: changes.grant?.subject ?? 'ann', groups: [] }
  const users = createBuiltinProvider({
    users: config.users,
    keyring: testKeyring(),
    elapsed: clock,
  })
  const credential = users.credentialOf?.(person)
  const grant: Grant = {
    id: randomToken(16),
    provider: 'builtin',
    issuer: 'builtin',
    subject: 'ann',
    ...(credential !== undefined && { credential }),
    clientHash: sha256('browser'),
    clientName: 'Web browser',
    redirectHost: 'mcp.example.com',
    resource: 'https://mcp.example.com/notes/mcp',
    scopes: ['mcp'],
    createdAt: now,
    expiresAt: now + lifetime,
    ...changes.grant,
  }
  const records = createRecords(storage, { keyring: testKeyring() })
  await records.sessions.touch(grant.id, sessionIdle)
  await records.grants.create(grant, { groups: [] }, now)
  const tokens = createSessionTokens({
    issuer: ISSUER,
    keys: await loadSigningKeys(keyDeps({ storage, now: clock }, { algorithm: 'RS256' })),
    keyring: testKeyring(),
    now: clock,
  })
  const token = await tokens.issue({
    sub: subjectOf(grant),
    aud: grant.resource,
    scope: grant.scopes.join(' '),
    gid: grant.id,
    iat: now,
    exp: grant.expiresAt,
    ...changes.claims,
  })
  return { grant, token, cookie: `${HOST_COOKIE}=${token}`, tokens, records }
}

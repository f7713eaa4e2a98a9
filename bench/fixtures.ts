/**
 * The configuration, people and tokens that the measured gateway works with.
 *
 * @module
 */
import type { Config } from '../src/config/config.ts'
import { createKeyring, randomToken } from '../src/crypto.ts'
import { IDENTITY_HEADERS } from '../src/forward-auth/identity-headers.ts'
import { createAccessTokens } from '../src/oauth/access-token.ts'
import { createClients } from '../src/oauth/clients/clients.ts'
import { compileRegistration } from '../src/oauth/clients/registration-policy.ts'
import { loadSigningKeys } from '../src/oauth/keys.ts'
import { subjectOf } from '../src/oauth/subject.ts'
import { createRecords } from '../src/storage/records.ts'
import type { Storage } from '../src/storage/storage.ts'

export const ROOT_SECRET = 'the root secret of the benchmark, never of anything else'
export const RESOURCE = 'https://mcp.example.com/notes/mcp'
const PERSON = { issuer: 'builtin', subject: 'ann' }
const BATCH = 1000

export interface Tokens {
  readonly warm: string
  readonly expired: string
  /** A key of ours is named, but the signature is another's. */
  readonly badSignature: string
  readonly garbage: string
}

export function benchConfig(upstream: string | undefined): Config {
  return {
    publicUrl: { origin: 'https://auth.example.com', host: 'auth.example.com', secure: true },
    listen: { host: '127.0.0.1', port: 0 },
    dataDir: '',
    secretPrevious: [],
    resources: [
      {
        id: 'notes',
        url: RESOURCE,
        name: 'Team notes',
        scopes: { mcp: 'Use this server' },
        requiredScopes: ['mcp'],
        defaultScopes: ['mcp'],
        also: [],
        isDefault: false,
        allow: { anyone: false, emails: [], domains: ['example.com'], groups: [] },
        ...(upstream !== undefined && { upstream }),
      },
    ],
    trustedProxies: ['127.0.0.0/8'],
    provider: { type: 'builtin' },
    users: [
      {
        name: 'ann',
        email: 'ann@example.com',
        displayName: 'Ann Adams',
        groups: ['staff'],
        passwordHash: '',
      },
    ],
    lifetimes: { accessToken: 3600, grant: 86_400, grantIdle: 86_400, refreshGrace: 60 },
    allowedOrigins: 'loopback',
    clients: [],
    registration: 'open',
    identityHeaders: IDENTITY_HEADERS,
    rateLimit: 600,
    logLevel: 'warn',
  }
}

/** Fills the store with `grants` live grants and signs tokens for the first. */
export async function makeTokens(deps: {
  storage: Storage
  grants: number
  now: () => number
}): Promise<Tokens> {
  const { storage, now } = deps
  const records = createRecords(storage)
  const keyring = createKeyring(ROOT_SECRET)
  const keys = await loadSigningKeys({ storage, keyring, now })
  const accessTokens = createAccessTokens({ issuer: 'https://auth.example.com', keys, now })
  const client = await createClients({
    keyring,
    randomToken: () => randomToken(9),
    configured: [],
    policy: compileRegistration('open'),
    lifetime: undefined,
    now,
  }).register({
    name: 'Claude Code',
    redirectUris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
    grantTypes: ['authorization_code', 'refresh_token'],
    authMethod: 'none',
    issuedAt: Math.floor(now() / 1000),
  })
  const createdAt = Math.floor(now() / 1000)
  const ids = Array.from({ length: deps.grants }, () => randomToken(16))
  for (let i = 0; i < ids.length; i += BATCH) {
    await Promise.all(
      ids.slice(i, i + BATCH).map((id) =>
        records.grants.create(
          {
            id,
            provider: 'builtin',
            ...PERSON,
            clientHash: client.hash,
            clientName: client.name,
            redirectHost: 'this computer',
            resource: RESOURCE,
            scopes: ['mcp'],
            createdAt,
            expiresAt: createdAt + 86_400,
          },
          { groups: ['staff'], email: 'ann@example.com' },
          createdAt,
        ),
      ),
    )
  }
  const sign = (exp: number) =>
    accessTokens.issue({
      sub: subjectOf(PERSON),
      aud: RESOURCE,
      client_id: client.id,
      scope: 'mcp',
      gid: ids[0] ?? '',
      iat: createdAt,
      exp,
    })
  const warm = await sign(createdAt + 3600)
  const signature = warm.lastIndexOf('.') + 1
  return {
    warm,
    expired: await sign(createdAt - 1),
    badSignature: warm.slice(0, signature) + [...warm.slice(signature)].reverse().join(''),
    garbage: 'g'.repeat(700),
  }
}

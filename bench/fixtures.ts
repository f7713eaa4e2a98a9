/**
 * The configuration, people and tokens of the measured gateway.
 *
 * @module
 */
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { IDENTITY_HEADERS } from '../src/check/identity-headers.ts'
import type { Config } from '../src/config/config.ts'
import { makeApiKey } from '../src/credentials/api-keys/key-form.ts'
import { createKeyring, randomToken, sha256 } from '../src/crypto.ts'
import { createClients } from '../src/oauth/clients/clients.ts'
import { compileRegistration } from '../src/oauth/clients/registration-policy.ts'
import { subjectOf } from '../src/oauth/subject.ts'
import { createAccessTokens } from '../src/oauth/tokens/access-token.ts'
import { firstRefreshState, formatRefreshToken } from '../src/oauth/tokens/refresh-rotation.ts'
import { loadSigningKeys } from '../src/oauth/tokens/signing-keys.ts'
import { createRecords } from '../src/records/records.ts'
import { DEFAULT_PASS_THROUGH, type HeaderMutation } from '../src/resources/pass-through.ts'
import { createSessionTokens } from '../src/sessions/cookie-token.ts'
import type { Storage } from '../src/storage/storage.ts'

export const ROOT_SECRET = 'the root secret of the benchmark, never of anything else'
/** A protected server, which may look up the tokens it gets. */
export const INTROSPECTOR = {
  id: 'notes-server',
  secret: 'the-secret-of-the-server-of-the-benchmark',
}
export const RESOURCE = 'https://mcp.example.com/notes/mcp'
const PERSON = { issuer: 'builtin', subject: 'ann' }
const ISSUER = 'https://auth.example.com'
const BATCH = 1000
/** The PKCE verifier of every code. */
export const VERIFIER = 'a-code-verifier-of-at-least-forty-three-characters'

export interface Tokens {
  readonly warm: string
  readonly expired: string
  /** It names a key of ours and has the form of ours, but its MAC is not ours. */
  readonly badMac: string
  /** The MAC is good, the signature is not. */
  readonly badSignature: string
  readonly garbage: string
  /** The token in the cookie of a signed-in browser. */
  readonly session: string
  /** The provider's own access token, if there is a provider. */
  readonly provider: string
  /** Tokens that no process has seen, each of another grant. */
  readonly cold: readonly string[]
  /** The first refresh token of each of these grants. */
  readonly refresh: readonly string[]
  /** An authorization code for each of these grants. */
  readonly codes: readonly string[]
  /** As many codes of the client with a metadata document, each of a grant of its own. */
  readonly documentedCodes: readonly string[]
  readonly clientId: string
  /** An API key for every server. */
  readonly apiKey: string
}

/** A provider on this machine that serves its two documents, and an access token of it. */
export interface BenchProvider {
  readonly config: Config['provider']
  readonly token: string
}

/** A usual list of changes, one of each kind. */
const MUTATIONS: readonly HeaderMutation[] = [
  { action: 'set-x-forwarded' },
  { action: 'remove', name: 'X-Debug' },
  { action: 'add', name: 'X-Tenant', from: { kind: 'value', value: 'acme' } },
  { action: 'add', name: 'X-Trace', from: { kind: 'header', name: 'Accept' } },
  { action: 'add', name: 'X-Workspace', from: { kind: 'query', name: 'workspace' } },
]

export function benchConfig(
  upstream: string | undefined,
  provider?: BenchProvider,
  passThroughRules = false,
): Config {
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
        acceptProviderTokens: provider !== undefined,
        allow: { anyone: false, emails: [], domains: ['example.com'], groups: [] },
        ...(upstream !== undefined && { upstream }),
        ...(passThroughRules && {
          passThrough: { ...DEFAULT_PASS_THROUGH, mutations: MUTATIONS },
        }),
      },
    ],
    protectedPath: '/sse',
    directChecks: false,
    discoveryAt: 'resource',
    trustedProxies: ['127.0.0.0/8'],
    provider: provider?.config ?? { type: 'builtin' },
    newUsers: [],
    users: [
      {
        name: 'ann',
        email: 'ann@example.com',
        displayName: 'Ann Adams',
        groups: ['staff'],
        passwordHash: '',
      },
    ],
    lifetimes: {
      accessToken: 3600,
      grant: 86_400,
      grantIdle: 86_400,
      refreshGrace: 60,
      session: 86_400,
      sessionIdle: 86_400,
    },
    allowedOrigins: ['loopback'],
    clients: [
      {
        ...INTROSPECTOR,
        name: 'Notes server',
        redirectUris: [],
        grantTypes: [],
        authMethod: 'client_secret_basic',
        introspects: ['notes'],
      },
    ],
    staticTokens: [],
    hsts: true,
    edgeAuth: false,
    registration: 'open',
    apiKeyHeader: 'X-API-Key',
    // Documents of this machine.
    clientMetadata: { hosts: { allowed: [], denied: [] }, pinned: {}, loopback: true },
    identityHeaders: IDENTITY_HEADERS,
    rateLimit: 0,
    shutdown: { delay: 0, timeout: 2 },
    upstreamIdle: 3600,
    upstreamLimits: {
      body: passThroughRules ? 10 * 1024 * 1024 : 0,
      headers: 64 * 1024,
      perPerson: { requests: passThroughRules ? 100 : 0, streams: passThroughRules ? 10_000 : 0 },
    },
    maxStale: 60,
    brand: {},
    logLevel: 'warn',
  }
}

/** Fills the store with `grants` live grants and signs tokens for the first ones. */
export async function makeTokens(deps: {
  storage: Storage
  grants: number
  /** How many grants get a token of their own. */
  cold: number
  provider: BenchProvider | undefined
  /** The id of the client with a metadata document, if there is one. */
  documentUrl: string | undefined
  now: () => number
}): Promise<Tokens> {
  const { storage, provider, now } = deps
  const keyring = createKeyring(ROOT_SECRET, { issuer: 'https://auth.example.com' })
  const records = createRecords(storage, { keyring })
  const account = { ...PERSON, credential: keyring.macs('password', 'ann\0')[0] }
  const keys = await loadSigningKeys({ algorithm: 'ES256', storage, keyring, now, elapsed: now })
  const accessTokens = createAccessTokens({ issuer: ISSUER, keys, keyring, now })
  const client = await createClients({
    keyring,
    configured: [],
    policy: compileRegistration('open'),
    metadata: undefined,
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
  /** Makes grants of a client, and returns their ids. */
  async function grantsOf(of: { hash: string; name: string }, count: number): Promise<string[]> {
    const made = Array.from({ length: count }, () => randomToken(16))
    for (let i = 0; i < made.length; i += BATCH) {
      await Promise.all(
        made.slice(i, i + BATCH).map((id) =>
          records.grants.create(
            {
              id,
              provider: 'builtin',
              ...account,
              clientHash: of.hash,
              clientName: of.name,
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
    return made
  }
  /** Makes a code of a client for each of its grants. */
  async function codesFor(grants: readonly string[], clientHash: string): Promise<string[]> {
    const codes = grants.map(() => randomToken(32))
    for (const [index, grantId] of grants.entries()) {
      await records.codes.create(sha256(codes[index] ?? ''), {
        grantId,
        clientHash,
        redirectUri: 'http://localhost/callback',
        codeChallenge: sha256(VERIFIER),
        resource: RESOURCE,
        scopes: ['mcp'],
        issuedAt: createdAt,
      })
    }
    return codes
  }
  const ids = await grantsOf(client, deps.grants)
  const sign = (exp: number, gid = ids[0] ?? '') =>
    accessTokens.issue({
      sub: subjectOf(PERSON),
      aud: RESOURCE,
      client_id: client.id,
      scope: 'mcp',
      gid,
      iat: createdAt,
      exp,
    })
  const own = ids.slice(0, deps.cold)
  const cold = await Promise.all(own.map((id) => sign(createdAt + 3600, id)))
  for (const id of own) await records.refresh.create(id, firstRefreshState(createdAt), 86_400)
  const published =
    deps.documentUrl === undefined
      ? undefined
      : { hash: sha256(deps.documentUrl), name: 'Published client' }
  const { id: keyId, key: apiKey } = makeApiKey(keyring, randomToken)
  const named = { id: keyId, name: 'nightly', hash: sha256(apiKey), scopes: ['mcp'] }
  await records.apiKeys.create({ ...named, createdAt })
  const warm = await sign(createdAt + 3600)
  await records.sessions.touch(ids[0] ?? '', 86_400)
  const session = await createSessionTokens({
    issuer: ISSUER,
    keys: await loadSigningKeys({ algorithm: 'RS256', storage, keyring, now, elapsed: now }),
    keyring,
    now,
  }).issue({
    sub: subjectOf(PERSON),
    aud: RESOURCE,
    scope: 'mcp',
    gid: ids[0] ?? '',
    iat: createdAt,
    exp: createdAt + 86_400,
    email: 'ann@example.com',
  })
  return {
    warm,
    expired: await sign(createdAt - 1),
    badMac: withChangedPayload(warm),
    badSignature: withChangedSignature(warm),
    garbage: 'g'.repeat(700),
    session,
    provider: provider?.token ?? '',
    cold,
    refresh: own.map((id) => formatRefreshToken(id, 1, keyring)),
    codes: await codesFor(own, client.hash),
    documentedCodes: published
      ? await codesFor(await grantsOf(published, deps.cold), published.hash)
      : [],
    clientId: client.id,
    apiKey,
  }
}

function withChangedPayload(token: string): string {
  const [header, payload = '', signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const changed = JSON.stringify({ ...claims, jti: randomToken(12) })
  return `${header}.${Buffer.from(changed).toString('base64url')}.${signature}`
}

function withChangedSignature(token: string): string {
  const [header, payload, text = ''] = token.split('.')
  const signature = Buffer.from(text, 'base64url')
  signature[0] = (signature[0] ?? 0) ^ 1
  return `${header}.${payload}.${signature.toString('base64url')}`
}

/** Starts a provider like Keycloak, with a key and a token of its own. */
export async function startBenchProvider(now: () => number): Promise<BenchProvider> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', use: 'sig', alg: 'RS256' }
  const server = createServer((request, response) => {
    const document = request.url === '/jwks' ? { keys: [jwk] } : discovery
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const issuer = `http://127.0.0.1:${address.port}`
  const discovery = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
  }
  const iat = Math.floor(now() / 1000)
  const token = await new SignJWT({
    typ: 'Bearer',
    azp: 'gatewarden',
    scope: 'openid mcp email profile',
    email: 'ann@example.com',
    email_verified: true,
    name: 'Ann Adams',
    preferred_username: 'ann',
    groups: ['staff'],
    sid: 'EoysXzmVbJrOqCrBfPzHdYxa',
    realm_access: { roles: ['offline_access', 'uma_authorization', 'default-roles-main'] },
  })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'bench' })
    .setIssuer(issuer)
    .setAudience('account')
    .setSubject('512810bf-7f60-4ac0-9d2b-3d1f62b1d0a4')
    .setIssuedAt(iat)
    .setExpirationTime(iat + 86_400)
    .sign(privateKey)
  return {
    token,
    config: {
      type: 'keycloak',
      id: 'keycloak',
      issuerUrl: issuer,
      clientId: 'gatewarden',
      clientSecret: 'not used here',
      groupsClaim: 'groups',
      hostedDomains: [],
      tokenClients: [],
      allowInsecure: true,
    },
  }
}

/**
 * `oidc-provider` on loopback, with our client and one person, who signs in without a page. The OpenID Foundation certified
 * it, and nobody here wrote what it answers.
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { RedirectProviderConfig } from '../../src/providers/provider-config.ts'
import { afterTest } from './clean-ups.ts'

// It advises whoever runs it in production, and about the version of Node.
for (const level of ['info', 'warn'] as const) {
  const say = console[level]
  console[level] = (...words: unknown[]) => {
    if (!String(words[0]).startsWith('oidc-provider ')) say(...words)
  }
}
const { Provider } = await import('oidc-provider')

export const CALLBACK = 'https://auth.example.com/callback'
const CLIENT = { id: 'gatewarden', secret: 'a secret: with signs/that+are encoded&more' }
const ANN = 'subject-of-ann'

export interface Peer {
  /** For `testConfig`. */
  readonly config: RedirectProviderConfig
  readonly person: { email: string; groups: string[] }
  /** True once the person's account is gone there. */
  isGone: boolean
  /** Signs in as a browser does there, and returns the address that it is sent back to. */
  signIn(authorizationUrl: string): Promise<string>
  /** Signs out as that browser does, which confirms it on a page. */
  signOut(endSessionUrl: string): Promise<string>
  /** The number of requests for this path. */
  asked(path: string): number
}

async function makeKey(alg: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), kid: alg, use: 'sig' }
}

const keys = await Promise.all(['RS256', 'ES256', 'EdDSA'].map(makeKey))
const ENCRYPTED = {
  id_token_encrypted_response_alg: 'ECDH-ES',
  id_token_encrypted_response_enc: 'A128GCM',
  jwks: {
    keys: [
      {
        ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
        use: 'enc',
        kid: 'enc',
      },
    ],
  },
}
/** A client with keys, which has no secret that counts. */
const KEYS_ONLY = {
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: {
    keys: [
      {
        kty: 'EC',
        crv: 'P-256',
        x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
        y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
      },
    ],
  },
}

/** Starts it, with changes of how our client is registered there. It stops after the test. */
export async function startPeer({
  isEncrypting = false,
  hasKeysOnly = false,
  demandsPushedRequests = false,
  ...client
}: {
  readonly id_token_signed_response_alg?: string
  readonly token_endpoint_auth_method?: string
  readonly isEncrypting?: boolean
  readonly hasKeysOnly?: boolean
  readonly demandsPushedRequests?: boolean
} = {}): Promise<Peer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const issuer = `http://127.0.0.1:${address.port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [CALLBACK],
        post_logout_redirect_uris: [CALLBACK],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        ...client,
        ...(isEncrypting && ENCRYPTED),
        ...(hasKeysOnly && KEYS_ONLY),
      },
    ],
    jwks: { keys },
    cookies: { keys: ['signs the cookies of this test'] },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username', 'groups'],
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/sign-in/${uid}` },
    findAccount: () =>
      peer.isGone
        ? undefined
        : {
            accountId: ANN,
            claims: () => ({
              sub: ANN,
              email_verified: true,
              name: 'Ann Adams',
              preferred_username: 'ann',
              ...peer.person,
            }),
          },
    features: {
      devInteractions: { enabled: false },
      encryption: { enabled: isEncrypting },
      pushedAuthorizationRequests: {
        enabled: true,
        requirePushedAuthorizationRequests: demandsPushedRequests,
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context: { body: string }, form: string) => {
          context.body = form
        },
      },
    },
  })

  /** In place of its pages: ann signs in, and allows what is asked. */
  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params } = await provider.interactionDetails(request, response)
    if (prompt.name === 'login') {
      return provider.interactionFinished(request, response, { login: { accountId: ANN } })
    }
    const grant = new provider.Grant({ accountId: ANN, clientId: CLIENT.id })
    grant.addOIDCScope(String(params.scope))
    const grantId = await grant.save()
    return provider.interactionFinished(request, response, { consent: { grantId } })
  }

  const answer = provider.callback()
  const counts = new Map<string, number>()
  server.on('request', (request, response) => {
    const { pathname } = new URL(request.url ?? '/', issuer)
    counts.set(pathname, (counts.get(pathname) ?? 0) + 1)
    if (!pathname.startsWith('/sign-in/')) return answer(request, response)
    interact(request, response).catch((error: unknown) =>
      response.writeHead(500).end(String(error)),
    )
  })

  const cookies = new Map<string, string>()
  /** Follows redirects until one leads away, or a page comes. */
  async function browse(to: string, form?: URLSearchParams): Promise<string | Response> {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
    const page = await fetch(to, {
      redirect: 'manual',
      headers: { cookie },
      ...(form && { method: 'POST', body: form }),
    })
    for (const line of page.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const location = page.headers.get('location')
    if (location === null) return page
    const next = new URL(location, to)
    return next.origin === issuer ? browse(next.href) : next.href
  }

  const peer: Peer = {
    config: {
      type: 'oidc',
      id: 'oidc',
      issuerUrl: issuer,
      clientId: CLIENT.id,
      clientSecret: CLIENT.secret,
      groupsClaim: 'groups',
      hostedDomains: [],
      tokenClients: [],
      allowInsecure: true,
    },
    person: { email: 'ann@example.com', groups: ['staff', 'cooks'] },
    isGone: false,
    async signIn(url) {
      const back = await browse(url)
      if (typeof back === 'string') return back
      throw new Error(`the provider answered ${back.status}: ${await back.text()}`)
    },
    async signOut(url) {
      const page = await browse(url)
      const text = typeof page === 'string' ? page : await page.text()
      const [, action = ''] = /action="([^"]+)"/.exec(text) ?? []
      const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(text) ?? []
      const back = await browse(action, new URLSearchParams({ xsrf, logout: 'yes' }))
      if (typeof back === 'string') return back
      throw new Error(`the provider answered ${back.status}: ${text} ${await back.text()}`)
    },
    asked: (path) => counts.get(path) ?? 0,
  }
  return peer
}

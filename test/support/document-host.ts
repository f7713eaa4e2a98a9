/**
 * A web server on loopback that publishes the metadata documents and keys of clients, as their vendors do.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import type { ASSERTION_ALGORITHMS } from '../../src/oauth/client-assertion.ts'
import { afterTest } from './clean-ups.ts'
import { REDIRECT_URI, type RegisteredClient } from './oauth-client.ts'

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

type Json = Record<string, unknown>
type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface DocumentHost {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string
  readonly host: string
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[]
  /** Every request. */
  readonly requests: readonly IncomingMessage[]
  /** The client whose document stands at a path; `changes` to a document that is good. Undefined members are left out. */
  publish(
    changes?: Json,
    options?: { path?: string; headers?: Record<string, string> },
  ): RegisteredClient
  /** Publishes a JSON value at a path. */
  serve(path: string, body: unknown, headers?: Record<string, string>): string
  /** Answers in place of everything else until it is undefined. */
  answer: Answer | undefined
  stop(): Promise<void>
}

/** Starts a host; it stops after the test. */
export async function startDocumentHost(): Promise<DocumentHost> {
  const pages = new Map<string, { body: string; headers: Record<string, string> }>()
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    if (host.answer) {
      host.answer(request, response)
      return
    }
    const page = pages.get(request.url ?? '')
    response.writeHead(page ? 200 : 404, { 'content-type': 'application/json', ...page?.headers })
    response.end(page?.body ?? '{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const origin = `http://127.0.0.1:${address.port}`
  const host: DocumentHost = {
    origin,
    host: `127.0.0.1:${address.port}`,
    requests,
    get asked() {
      return requests.map(({ url = '' }) => url)
    },
    publish(changes = {}, { path = '/client.json', headers = {} } = {}) {
      const document = {
        client_id: origin + path,
        client_name: 'Documented client',
        redirect_uris: [REDIRECT_URI],
        token_endpoint_auth_method: 'none',
        ...changes,
      }
      host.serve(path, document, headers)
      return { client_id: origin + path }
    },
    serve(path, body, headers = {}) {
      pages.set(path, { body: typeof body === 'string' ? body : JSON.stringify(body), headers })
      return origin + path
    },
    answer: undefined,
    async stop() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  afterTest(host.stop)
  return host
}

/** `clientMetadata` of a configuration that reads documents of this machine. */
export const ON_LOOPBACK = {
  clientMetadata: { hosts: { allowed: ['open'], denied: [] }, pinned: {}, loopback: true },
} as const

export interface SigningKey {
  readonly publicJwk: JWK
  /** A good assertion of the client, changed as a test needs it; times are in seconds since the epoch. */
  assertion(
    clientId: string,
    now: number,
    changes?: { claims?: Json; header?: Json },
  ): Promise<string>
}

/** A new key pair of a client. */
export async function makeSigningKey(
  algorithm: (typeof ASSERTION_ALGORITHMS)[number] = 'ES256',
  kid: string | undefined = 'key-1',
): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const named = kid === undefined ? {} : { kid }
  const publicJwk = { ...(await exportJWK(publicKey)), ...named, use: 'sig' }
  return {
    publicJwk,
    assertion: (clientId, now, { claims = {}, header = {} } = {}) =>
      sign(privateKey, { alg: algorithm, ...named, ...header }, clientId, now, claims),
  }
}

function sign(
  key: CryptoKey,
  header: Json & { alg: string },
  clientId: string,
  now: number,
  claims: Json,
): Promise<string> {
  return new SignJWT({
    iss: clientId,
    sub: clientId,
    aud: 'https://auth.example.com',
    iat: now,
    exp: now + 300,
    jti: randomUUID(),
    ...claims,
  })
    .setProtectedHeader(header)
    .sign(key)
}

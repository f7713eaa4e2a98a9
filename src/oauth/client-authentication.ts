/**
 * Authenticates the client of a token request (OAuth 2.1 section 2.4): none, client_secret_basic, client_secret_post,
 * private_key_jwt.
 *
 * @module
 */

import { OAuthError } from '../errors.ts'
import { type Parameters, single } from '../url/parameters.ts'
import { readClientAssertion, requireKeys, secondsToRemember } from './client-assertion.ts'
import type { AssertionKeys } from './clients/assertion-keys.ts'
import type { Client } from './clients/client.ts'
import { isClientIdUrl } from './clients/client-id-url.ts'
import type { Clients } from './clients/clients.ts'

interface Credentials {
  readonly id: string
  readonly secret: string | undefined
}

/** The parts of a request by which a client says who it is. */
export interface ClientRequest {
  /** The Authorization header. */
  readonly authorization: string | undefined
  readonly parameters: Parameters
  /** The address that the request came from, for limits. */
  readonly address: string
}

/**
 * The client that sent this request. A public client may send Basic with an empty password (the Go SDK tries that
 * first). The body may repeat the id of Basic (the Python SDK does) if both are the same.
 * @throws OAuthError `invalid_client` if the client is unknown or its authentication fails, `invalid_request` if the
 *   request names two clients or authenticates in two ways; DocumentUnavailable if a document of the client cannot be
 *   read now; StorageUnavailable
 */
export type AuthenticateClient = (request: ClientRequest) => Promise<Client>

export interface ClientAuthenticationDeps {
  readonly clients: Clients
  readonly assertionKeys: AssertionKeys
  /** True for exactly one caller with this client and `jti`, on any replica, while the assertion could be used again. */
  readonly useOnce: (clientHash: string, jti: string, ttlSeconds: number) => Promise<boolean>
  readonly issuer: string
  readonly tokenEndpoint: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Every endpoint that authenticates clients calls the same function, so none of them can accept less. */
export function createClientAuthentication(deps: ClientAuthenticationDeps): AuthenticateClient {
  return async (request) =>
    (await byAssertion(request, deps)) ?? (await bySecret(request, deps.clients))
}

/** RFC 7523 section 3. The `jti` is spent when everything else about the assertion is good. */
async function byAssertion(
  { authorization, parameters, address }: ClientRequest,
  deps: ClientAuthenticationDeps,
): Promise<Client | undefined> {
  const now = Math.floor(deps.now() / 1000)
  const assertion = readClientAssertion(parameters, { ...deps, now })
  if (!assertion) return undefined
  if (parseBasic(authorization) || single(parameters, 'client_secret') !== undefined) {
    throw inTwoWays()
  }
  const bodyId = single(parameters, 'client_id')
  if (bodyId !== undefined && bodyId !== assertion.clientId) {
    throw new OAuthError('invalid_request', 'client_id differs from the sub of the assertion')
  }
  const client = await deps.clients.find(assertion.clientId, address)
  if (!client) throw unauthentic()
  const { jws, jti } = assertion
  const keys = requireKeys(client)
  if (!(await deps.assertionKeys.verify(jws, { ...client, keys }, address))) throw unauthentic()
  if (!(await deps.useOnce(client.hash, jti, secondsToRemember(assertion, now)))) {
    throw new OAuthError('invalid_client', 'the client assertion was used before: make a new one')
  }
  return client
}

const unauthentic = () =>
  new OAuthError('invalid_client', 'the client is unknown or its authentication failed')

const inTwoWays = () =>
  new OAuthError('invalid_request', 'the client authenticated in two ways at once')

async function bySecret(request: ClientRequest, clients: Clients): Promise<Client> {
  const bodyId = single(request.parameters, 'client_id')
  const bodySecret = single(request.parameters, 'client_secret')
  const basic = parseBasic(request.authorization)
  if (basic && bodySecret !== undefined) {
    throw inTwoWays()
  }
  const attempts = basic ?? (bodyId === undefined ? [] : [{ id: bodyId, secret: bodySecret }])
  for (const { id, secret } of attempts) {
    const client = await clients.find(id, request.address)
    if (!client) continue
    if (bodyId !== undefined && bodyId !== client.id) {
      throw new OAuthError('invalid_request', 'client_id differs from the authenticated client')
    }
    if (isAuthentic(client, secret, clients)) return client
  }
  throw unauthentic()
}

function isAuthentic(client: Client, secret: string | undefined, clients: Clients): boolean {
  if (client.authMethod === 'none') return secret === undefined
  if (client.authMethod === 'private_key_jwt') return false
  return secret !== undefined && clients.verifySecret(client.id, secret)
}

/** The ids under which a client with a secret, or without one, may have sent a request; nothing is verified. */
export function claimedIds({
  authorization,
  parameters,
}: Pick<ClientRequest, 'authorization' | 'parameters'>): readonly string[] {
  const ids = (parseBasic(authorization) ?? []).map(({ id }) => id)
  return [...ids, ...(parameters.get('client_id')?.slice(0, 1) ?? [])]
}

/** The readings of a Basic header: as sent, and form-decoded (RFC 6749 section 2.3.1); SDKs send either form. */
function parseBasic(authorization: string | undefined): Credentials[] | undefined {
  if (authorization === undefined || !/^basic(?: |$)/i.test(authorization)) return undefined
  const encoded = authorization.slice('basic'.length).trim()
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(encoded)) return []
  const decoded = Buffer.from(encoded, 'base64').toString('utf8')
  // The id of a metadata document has colons of its own, which some SDKs do not encode; its secret is empty.
  const colon = isClientIdUrl(decoded) ? decoded.lastIndexOf(':') : decoded.indexOf(':')
  const id = colon === -1 ? decoded : decoded.slice(0, colon)
  const secret = colon === -1 ? '' : decoded.slice(colon + 1)
  const readings = [{ id, secret: secret || undefined }]
  try {
    const formDecode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
    if (/[%+]/.test(decoded)) {
      readings.push({ id: formDecode(id), secret: formDecode(secret) || undefined })
    }
  } catch {
    // Not form-encoded: only the raw reading counts.
  }
  return readings
}

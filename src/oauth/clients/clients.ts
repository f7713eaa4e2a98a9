/**
 * `src/oauth/clients/` owns clients: their registration, and finding a client by its `client_id`. It does not own the
 * routes (`src/oauth/endpoints/`).
 *
 * This file finds a client: the configuration names it, its id is the URL of its metadata document, or it registered and
 * its metadata is sealed into its id, so that no stranger can fill the store (decisions K3, K4).
 *
 * @module
 */
import { z } from 'zod'
import { type Keyring, sha256 } from '../../crypto.ts'
import { DEVICE_CODE } from '../grants/names.ts'
import {
  type Client,
  type ClientConfig,
  type ClientMetadata,
  REGISTERED_METHODS,
} from './client.ts'
import { isClientIdUrl } from './client-id-url.ts'
import type { MetadataClients } from './metadata-clients.ts'
import type { RegistrationPolicy } from './registration-policy.ts'
import { createStaticClients } from './static-clients.ts'

export interface Clients {
  /**
   * The client with this id, or undefined if we know none.
   * @param from the address of the client or person that asks, for limits
   * @throws OAuthError `invalid_client` with the reason if the id is the URL of a metadata document that is no good;
   *   DocumentUnavailable if the document cannot be read now
   */
  find(clientId: string, from: string): Promise<Client | undefined>
  /** To be called when a client got tokens, so that it stays known. Never rejects. */
  remember(client: Client): Promise<void>
  /** Seals a registration into a client_id. */
  register(metadata: ClientMetadata): Promise<Client>
  /** Seconds that a registration lasts; undefined: for ever. */
  readonly lifetime: number | undefined
  /** The secret of a registered confidential client: a MAC of its id, so that no secret is stored. */
  secretOf(clientId: string): string
  /**
   * True if `secret` is the client's; for a registered client, under the current or a previous root. Compares in
   * constant time.
   */
  verifySecret(clientId: string, secret: string): boolean
}

/** The longest client_id that we issue or open (decision K4). */
export const MAX_CLIENT_ID_LENGTH = 1024

/**
 * Name, redirect URIs, grant types and authentication method by their place in the lists below, and the time. The places
 * never change: every character of a sealed id travels in every request of the client, so words would be dear.
 */
const Sealed = z.tuple([
  z.string(),
  z.array(z.string()),
  z.array(z.number()),
  z.number(),
  z.number(),
])
const GRANT_TYPES = ['authorization_code', 'refresh_token', DEVICE_CODE] as const

export interface ClientsDeps {
  readonly keyring: Keyring
  /** The clients of the configuration. */
  readonly configured: readonly ClientConfig[]
  readonly policy: RegistrationPolicy
  /** Absent: URLs are no client ids. */
  readonly metadata: MetadataClients | undefined
  /** Seconds that a registration lasts; undefined: for ever. */
  readonly lifetime: number | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export function createClients(deps: ClientsDeps): Clients {
  const { keyring, policy, metadata, lifetime, now } = deps
  const configured = createStaticClients(deps.configured)
  const isExpired = (issuedAt: number) =>
    lifetime !== undefined && now() >= (issuedAt + lifetime) * 1000
  const client = (id: string, metadata: Omit<ClientMetadata, 'issuedAt'>): Client => ({
    id,
    hash: sha256(id),
    configured: false,
    ...metadata,
  })
  return {
    async find(clientId, from) {
      const known = configured.find(clientId)
      if (known) return known
      if (isClientIdUrl(clientId)) return metadata?.find(clientId, from)
      if (clientId.length > MAX_CLIENT_ID_LENGTH) return undefined
      const opened = Sealed.safeParse(keyring.open('client-id', clientId))
      if (!opened.success) return undefined
      const [name, redirectUris, grantTypes, method, issuedAt] = opened.data
      const authMethod = REGISTERED_METHODS[method]
      if (isExpired(issuedAt) || authMethod === undefined) return undefined
      const found = client(clientId, {
        name,
        redirectUris: redirectUris.filter(policy.allows),
        grantTypes: GRANT_TYPES.filter((_, place) => grantTypes.includes(place)).filter(
          (type) => type !== DEVICE_CODE || policy.allowsDevices,
        ),
        authMethod,
      })
      return { ...found, registeredAt: issuedAt }
    },
    async register(metadata) {
      // The nonce of the seal keeps two equal registrations apart.
      const id = keyring.seal('client-id', [
        metadata.name,
        [...metadata.redirectUris],
        GRANT_TYPES.flatMap((type, place) => (metadata.grantTypes.includes(type) ? [place] : [])),
        REGISTERED_METHODS.indexOf(metadata.authMethod),
        metadata.issuedAt,
      ] satisfies z.input<typeof Sealed>)
      const { issuedAt, ...registered } = metadata
      return { ...client(id, registered), registeredAt: issuedAt }
    },
    remember: async (client) => metadata?.remember(client),
    lifetime,
    secretOf: (clientId) => keyring.mac('client-secret', clientId),
    verifySecret: (clientId, secret) =>
      configured.find(clientId)
        ? configured.verifySecret(clientId, secret)
        : keyring.verifyMac('client-secret', clientId, secret),
  }
}

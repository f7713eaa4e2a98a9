/**
 * Finds the client behind a client_id. Registered clients are sealed into their id, so nobody unknown can fill
 * the store (decisions K3, K4).
 *
 * @module
 */
import { z } from 'zod'
import { type Keyring, sha256 } from '../../crypto.ts'

export type ClientAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post'
export type ClientGrantType = 'authorization_code' | 'refresh_token'

/** What registration decides about a client. */
export interface ClientMetadata {
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly grantTypes: readonly ClientGrantType[]
  readonly authMethod: ClientAuthMethod
  /** Seconds since the epoch. */
  readonly issuedAt: number
}

export interface Client extends ClientMetadata {
  readonly id: string
  /** SHA-256 of the id, by which records name the client. */
  readonly hash: string
  /** Known from the operator's configuration, not by its own word. */
  readonly configured: boolean
}

export interface Clients {
  /** The client with this id, or undefined if it is none of ours. */
  find(clientId: string): Promise<Client | undefined>
  /** Seals a registration into a client_id. */
  register(metadata: ClientMetadata): Promise<Client>
  /** The secret of a confidential client: an MAC of its id, so that none is stored. */
  secretOf(clientId: string): string
  /** True if `secret` is the client's under the current or a previous root secret; constant time. */
  verifySecret(clientId: string, secret: string): boolean
}

/** Longest client_id we mint or look at (decision K4). */
export const MAX_CLIENT_ID_LENGTH = 1024

// Short names: every character of a sealed id travels in every request of the client.
const Sealed = z.object({
  n: z.string(),
  r: z.array(z.string()),
  g: z.array(z.enum(['authorization_code', 'refresh_token'])),
  m: z.enum(['none', 'client_secret_basic', 'client_secret_post']),
  t: z.number(),
  x: z.string(),
})

/** @param randomToken makes the nonce that keeps two equal registrations apart */
export function createClients(deps: { keyring: Keyring; randomToken: () => string }): Clients {
  const { keyring, randomToken } = deps
  const client = (id: string, metadata: ClientMetadata): Client => ({
    id,
    hash: sha256(id),
    configured: false,
    ...metadata,
  })
  return {
    async find(clientId) {
      if (clientId.length > MAX_CLIENT_ID_LENGTH) return undefined
      const opened = Sealed.safeParse(await keyring.open('client-id', clientId))
      if (!opened.success) return undefined
      const { n, r, g, m, t } = opened.data
      return client(clientId, {
        name: n,
        redirectUris: r,
        grantTypes: g,
        authMethod: m,
        issuedAt: t,
      })
    },
    async register(metadata) {
      const id = await keyring.seal('client-id', {
        n: metadata.name,
        r: [...metadata.redirectUris],
        g: [...metadata.grantTypes],
        m: metadata.authMethod,
        t: metadata.issuedAt,
        x: randomToken(),
      } satisfies z.input<typeof Sealed>)
      return client(id, metadata)
    },
    secretOf: (clientId) => keyring.mac('client-secret', clientId),
    verifySecret: (clientId, secret) => keyring.verifyMac('client-secret', clientId, secret),
  }
}

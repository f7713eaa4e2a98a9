/**
 * `src/oauth/clients/` owns clients: their registration, and finding a client by its `client_id`. It does not own the
 * routes (`src/oauth/endpoints/`).
 *
 * This file finds a client: the configuration names it, or it registered and its metadata is sealed into its id, so
 * that no stranger can fill the store (decisions K3, K4).
 *
 * @module
 */
import { z } from 'zod'
import { type Keyring, sha256 } from '../../crypto.ts'
import type { Client, ClientConfig, ClientMetadata } from './client.ts'
import type { RegistrationPolicy } from './registration-policy.ts'
import { createStaticClients } from './static-clients.ts'

export interface Clients {
  /** The client with this id, or undefined if we know none. */
  find(clientId: string): Promise<Client | undefined>
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

// The names are short: every character of a sealed id travels in every request of the client.
const Sealed = z.object({
  n: z.string(),
  r: z.array(z.string()),
  g: z.array(z.string()),
  m: z.enum(['none', 'client_secret_basic', 'client_secret_post']),
  t: z.number(),
  x: z.string(),
})

export interface ClientsDeps {
  readonly keyring: Keyring
  /** Makes the nonce that keeps two equal registrations apart. */
  readonly randomToken: () => string
  /** The clients of the configuration. */
  readonly configured: readonly ClientConfig[]
  readonly policy: RegistrationPolicy
  /** Seconds that a registration lasts; undefined: for ever. */
  readonly lifetime: number | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export function createClients(deps: ClientsDeps): Clients {
  const { keyring, randomToken, policy, lifetime, now } = deps
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
    async find(clientId) {
      const known = configured.find(clientId)
      if (known) return known
      if (clientId.length > MAX_CLIENT_ID_LENGTH) return undefined
      const opened = Sealed.safeParse(await keyring.open('client-id', clientId))
      if (!opened.success) return undefined
      const { n, r, g, m, t } = opened.data
      if (isExpired(t)) return undefined
      return client(clientId, {
        name: n,
        redirectUris: r.filter(policy.allows),
        grantTypes: g,
        authMethod: m,
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
      const { issuedAt: _, ...registered } = metadata
      return client(id, registered)
    },
    lifetime,
    secretOf: (clientId) => keyring.mac('client-secret', clientId),
    verifySecret: (clientId, secret) =>
      configured.find(clientId)
        ? configured.verifySecret(clientId, secret)
        : keyring.verifyMac('client-secret', clientId, secret),
  }
}

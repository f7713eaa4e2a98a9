/**
 * Reads and deletes a registration (RFC 7592). The registration is sealed into the client's id, so it cannot change under
 * the same id: a client that wants to be another one registers anew.
 *
 * @module
 */
import type { Keyring } from '../../crypto.ts'
import { OAuthError } from '../../errors.ts'
import { CLIENT_CONFIGURATION_PATH } from '../../paths.ts'
import type { Records } from '../../records/records.ts'
import type { Client } from './client.ts'
import type { Clients } from './clients.ts'

/** The members of a registration response by which a client manages its registration (RFC 7592 section 3). */
export function managementMembers(
  clientId: string,
  { issuer, keyring }: { readonly issuer: string; readonly keyring: Pick<Keyring, 'mac'> },
): { readonly registration_access_token: string; readonly registration_client_uri: string } {
  return {
    registration_access_token: keyring.mac('registration', clientId),
    // An id is too long for a segment of a path.
    registration_client_uri: `${issuer}${CLIENT_CONFIGURATION_PATH}?client_id=${encodeURIComponent(clientId)}`,
  }
}

/**
 * The registered client that holds this registration access token.
 * @throws OAuthError `invalid_token` for a wrong token, and for a client that is unknown or deleted (section 2.1): both
 *   answers are the same
 */
export async function authenticateRegistration(
  presented: {
    readonly clientId: string | undefined
    readonly token: string | undefined
    /** The address that presents it. */
    readonly from: string
  },
  { clients, keyring }: { readonly clients: Clients; readonly keyring: Pick<Keyring, 'verifyMac'> },
): Promise<Client> {
  const { clientId, token, from } = presented
  const isOwner =
    clientId !== undefined &&
    token !== undefined &&
    keyring.verifyMac('registration', clientId, token)
  const client = isOwner ? await clients.find(clientId, from) : undefined
  if (client && !client.configured) return client
  throw new OAuthError('invalid_token', 'the registration access token is wrong or has ended')
}

/** The clients without those that were deleted. */
export function withoutDeleted(clients: Clients, records: Pick<Records, 'clients'>): Clients {
  return {
    ...clients,
    async find(clientId, from) {
      const client = await clients.find(clientId, from)
      if (!client || client.configured || client.documentHost !== undefined) return client
      return (await records.clients.isDeleted(client.hash)) ? undefined : client
    },
  }
}

/**
 * Deletes a client for good, and ends every grant that people gave it (RFC 7592 section 2.3).
 * @returns the number of grants
 */
export async function deleteClient(
  { hash }: Client,
  { records }: { readonly records: Pick<Records, 'clients' | 'grants'> },
): Promise<number> {
  const isUsed = await records.clients.isUsed(hash)
  // The id goes first: no grant can begin between the two steps and stay.
  await records.clients.markDeleted(hash, isUsed)
  let ended = 0
  // Only then does it have grants. A stranger cannot make us look through the store.
  if (!isUsed) return ended
  for await (const grant of records.grants.all()) {
    if (grant.clientHash !== hash) continue
    await records.grants.revoke(grant.id)
    ended += 1
  }
  return ended
}

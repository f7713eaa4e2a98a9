/**
 * A sign-in for a client: it ends in an authorization code (decision K9).
 *
 * @module
 */
import { type Keyring, randomToken, sha256 } from '../crypto.ts'
import { destinationInWords, destinationName, isLoopback } from '../oauth/redirect-uri.ts'
import type { ErrorAction } from '../pages/error-page.ts'
import { CONSENT_PATH, ownPath } from '../paths.ts'
import type { Records } from '../records/records.ts'
import type { ResourceTable } from '../resources/resource-table.ts'
import { resourceOf } from './complete.ts'
import { type ClientInteraction, sealInteraction } from './interaction.ts'
import type { Purpose } from './purpose.ts'
import { answerUrl, redirectOf } from './responses.ts'

export interface ClientPurposeDeps {
  readonly issuer: string
  readonly keyring: Keyring
  readonly records: Records
  readonly resources: ResourceTable
  /** Seconds. */
  readonly grantLifetime: number
}

export function clientPurpose(interaction: ClientInteraction, deps: ClientPurposeDeps): Purpose {
  const { clientHash, clientName, redirectUri, codeChallenge, scopes } = interaction
  const { issuer, records, resources, grantLifetime } = deps
  const resource = () => resourceOf(interaction.resource, resources)
  /** A form for the consent endpoint: `restart` asks the person again, `approve` repeats their approval. */
  const decided = async (label: string, decision: 'restart' | 'approve'): Promise<ErrorAction> => ({
    label,
    action: ownPath(issuer, CONSENT_PATH),
    fields: { interaction: await sealInteraction(interaction, deps), decision },
  })

  return {
    clientName,
    resource,
    terms: (now) => ({
      clientHash,
      clientName,
      redirectHost: destinationName(redirectUri),
      resource: resource().audience,
      scopes,
      expiresAt: now + grantLifetime,
    }),
    async finish(grant) {
      // A client that deletes itself ends its grants: they are looked for only if there can be any.
      if (!interaction.clientConfigured) await records.clients.markUsed(clientHash, grantLifetime)
      const code = randomToken()
      await records.codes.create(sha256(code), {
        grantId: grant.id,
        clientHash,
        redirectUri,
        codeChallenge,
        resource: grant.resource,
        scopes,
        issuedAt: grant.createdAt,
      })
      return { location: answerUrl(redirectOf(interaction), issuer, { code }) }
    },
    restart: () => decided('Start again', 'restart'),
    retry: () => decided('Try again', 'approve'),
    wayBack: (refusal) => ({
      location: answerUrl(redirectOf(interaction), issuer, { ...refusal }),
      label: `Back to ${destinationInWords(redirectUri)}`,
      trusted: interaction.clientConfigured || isLoopback(redirectUri),
    }),
  }
}

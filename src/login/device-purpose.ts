/**
 * A sign-in for a device (RFC 8628): it ends in an approval, which the device finds when it asks next.
 *
 * @module
 */
import { PageError } from '../errors.ts'
import type { DeviceRequests } from '../oauth/device/requests.ts'
import { DEVICE_DESTINATION } from '../oauth/grant-facts.ts'
import type { ErrorAction } from '../pages/error-page.ts'
import { CONSENT_PATH, DEVICE_ALLOWED_PATH, DEVICE_PATH, ownPath } from '../paths.ts'
import type { Records } from '../records/records.ts'
import type { ResourceTable } from '../resources/resource-table.ts'
import { resourceOf } from './complete.ts'
import { FORM_PROOF, formProof } from './device-form.ts'
import { type DeviceInteraction, type Sealing, sealInteraction } from './interaction.ts'
import type { Purpose } from './purpose.ts'

/** The field of a form that asks for the empty page. A link could not: on a host that we share, no link leads there. */
export const ANOTHER_CODE = 'another'

export interface DevicePurposeDeps extends Sealing {
  readonly issuer: string
  readonly deviceRequests: DeviceRequests
  readonly records: Records
  readonly resources: ResourceTable
  /** Seconds. */
  readonly grantLifetime: number
}

export function devicePurpose(interaction: DeviceInteraction, deps: DevicePurposeDeps): Purpose {
  const { clientHash, clientName, scopes, userCode, deviceId } = interaction
  const { deviceRequests, records, resources, grantLifetime } = deps
  const resource = () => resourceOf(interaction.resource, resources)
  const decided = async (label: string, decision: 'approve' | 'deny'): Promise<ErrorAction> => ({
    label,
    action: ownPath(deps.issuer, CONSENT_PATH),
    fields: { interaction: await sealInteraction(interaction, deps), decision },
  })

  return {
    clientName,
    resource,
    async check() {
      if (!(await deviceRequests.isPending(userCode, deviceId))) throw codeGone()
    },
    terms: (now) => ({
      clientHash,
      clientName,
      redirectHost: DEVICE_DESTINATION,
      resource: resource().audience,
      scopes,
      expiresAt: now + grantLifetime,
    }),
    async finish(grant) {
      // A client that deletes itself ends its grants: they are looked for only if there can be any.
      if (!interaction.clientConfigured) await records.clients.markUsed(clientHash, grantLifetime)
      const answer = { kind: 'approved', grantId: grant.id } as const
      if (!(await deviceRequests.answer(userCode, deviceId, answer))) throw codeGone()
      return { location: ownPath(deps.issuer, DEVICE_ALLOWED_PATH) }
    },
    restart: async () => ({
      label: 'Type a code',
      action: ownPath(deps.issuer, DEVICE_PATH),
      fields: {
        [ANOTHER_CODE]: 'yes',
        [FORM_PROOF]: formProof(deps.keyring, interaction.browser),
      },
    }),
    retry: () => decided('Try again', 'approve'),
    giveUp: async () => ({ ...(await decided('Refuse the device', 'deny')), isSecondary: true }),
  }
}

/** For a person whose code expired, or was answered in another window, while they were signing in. */
export function codeGone(): PageError {
  return new PageError({
    kind: 'retry',
    title: 'This code is over',
    text: 'The code has expired, or it was answered already. Begin again on your device: it shows a new code.',
  })
}

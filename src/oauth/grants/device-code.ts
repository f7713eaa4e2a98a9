/**
 * Answers a device that polls for its tokens (RFC 8628 sections 3.4 and 3.5), and redeems the person's approval exactly
 * once.
 *
 * @module
 */
import { OAuthError } from '../../errors.ts'
import type { DeviceAnswer, DeviceRecord } from '../../records/devices.ts'
import type { Grant } from '../../records/records.ts'
import { required, several } from '../../url/parameters.ts'
import { nextPace } from '../device/pace.ts'
import { type DeviceCode, parseDeviceCode } from '../device/polling-code.ts'
import { requireAllowedResource, requireResource } from '../resource-indicator.ts'
import { startRefresh } from './first-refresh.ts'
import type { GrantDeps, GrantType, TokenRequest } from './grant-type.ts'
import { DEVICE_CODE } from './names.ts'

/** Seconds for which a redeemed request is still known: its place is soon free for another one. */
const REDEEMED_LIFETIME = 60
/** Seconds for which giving an approval back is retried while the store does not answer. */
const GIVE_BACK_SECONDS = 60

type Approved = DeviceRecord & { readonly answer: Extract<DeviceAnswer, { kind: 'approved' }> }

const invalidGrant = () =>
  new OAuthError('invalid_grant', 'the device code is unknown or already used')

export const deviceCode: GrantType = {
  grantType: DEVICE_CODE,
  registration: 'on-request',

  async redeem(request, deps) {
    const { client, parameters } = request
    const presented = required(parameters, 'device_code')
    const indicators = several(parameters, 'resource')
    // Another client's code is no code of this one (section 3.5 and RFC 6749 section 5.2).
    const code = parseDeviceCode(presented, client.hash, deps.keyring)
    if (!code) throw invalidGrant()
    const attempt = deps.randomToken()
    for (;;) {
      const approved = await findApproved(code, deps)
      requireResource(indicators, approved.resource, deps.resources)
      const grant = await findGrant(approved, request, deps)
      const now = Math.floor(deps.now() / 1000)
      const { grantId } = approved.answer
      const redeemed = { ...approved, answer: { kind: 'redeemed' as const, grantId, by: attempt } }
      try {
        // Another poll was faster, and redeemed the approval or gave it back: read again.
        const isOurs = await deps.records.devices.replace(
          code.place,
          approved,
          redeemed,
          REDEEMED_LIFETIME,
        )
        if (!isOurs) continue
        const lasting = { id: grantId, remaining: grant.expiresAt - now }
        const refresh = await startRefresh(client, lasting, deps)
        return await deps.tokens.issue(grant, client, { scopes: grant.scopes, refresh })
      } catch (error) {
        // Nothing was sent: the device may ask again with the same code. The first error says more than a second one.
        await giveBack(code, { approved, redeemed }, deps).catch(() => {})
        throw error
      }
    }
  },
}

/** @throws OAuthError that says what the device is to do, unless the person has approved */
async function findApproved(code: DeviceCode, deps: GrantDeps): Promise<Approved> {
  if (Math.floor(deps.now() / 1000) >= code.expiresAt) {
    throw new OAuthError('expired_token', 'the device code has expired: begin anew')
  }
  const record = await deps.records.devices.find(code.place)
  if (record?.id !== code.id) throw invalidGrant()
  const { answer } = record
  switch (answer?.kind) {
    case undefined:
      throw await stillPending(code, deps)
    case 'denied':
      throw new OAuthError('access_denied', 'the person denied the request')
    case 'redeemed':
      throw invalidGrant()
    case 'approved':
      return { ...record, answer }
  }
}

/** Counts the poll. Of two at once the slower one counts as too early, and only the other is remembered. */
async function stillPending(
  { id, place, expiresAt }: DeviceCode,
  { records: { devices }, now }: GrantDeps,
): Promise<OAuthError> {
  const known = await devices.findPoll(place)
  const { isTooEarly, pace } = nextPace(known?.id === id ? known : undefined, now())
  const ttl = Math.max(1, expiresAt - Math.floor(now() / 1000))
  const isCounted = pace && (await devices.putPoll(place, known, { id, ...pace }, ttl))
  return isTooEarly || !isCounted
    ? new OAuthError('slow_down', 'the device asks too often: wait 5 seconds longer from now on')
    : new OAuthError('authorization_pending', 'the person has not answered yet')
}

/** The grant that the person gave, if it still holds for this client. */
async function findGrant(
  approved: Approved,
  { client }: TokenRequest,
  deps: GrantDeps,
): Promise<Grant> {
  const grant = await deps.records.grants.find(approved.answer.grantId)
  const now = Math.floor(deps.now() / 1000)
  if (!grant || grant.clientHash !== client.hash || now >= grant.expiresAt) throw invalidGrant()
  // The operator may have limited the client since the person was asked.
  const resource = deps.resources.byAudience(grant.resource)
  if (resource) requireAllowedResource(client, resource)
  if (!(await deps.personExists(grant))) throw invalidGrant()
  return grant
}

/** Undoes a redemption. One that missed its deadline may still arrive: it then finds another record than it expects. */
function giveBack(
  { place, expiresAt }: DeviceCode,
  { approved, redeemed }: { readonly approved: Approved; readonly redeemed: DeviceRecord },
  { records: { devices, retryUntilStored }, randomToken, now }: GrantDeps,
): Promise<void> {
  const freed = { ...approved, answer: { ...approved.answer, freedBy: randomToken() } }
  const ttl = () => Math.max(1, expiresAt - Math.floor(now() / 1000))
  return retryUntilStored(async () => {
    if (await devices.replace(place, redeemed, freed, ttl())) return
    if (await devices.replace(place, approved, freed, ttl())) return
    // The redemption may have arrived between the two calls.
    await devices.replace(place, redeemed, freed, ttl())
  }, GIVE_BACK_SECONDS)
}

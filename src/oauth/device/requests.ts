/**
 * Requests of devices between the device and the browser (RFC 8628): begun by a client, found by the code that a person
 * types, answered once.
 *
 * @module
 */
import type { Keyring } from '../../crypto.ts'
import type { DeviceAnswer, DeviceRecord, DeviceRecords } from '../../records/devices.ts'
import { formatDeviceCode } from './polling-code.ts'
import {
  type Asker,
  CODES_OF_A_PLACE,
  firstPlaceOf,
  normalizedUserCode,
  PLACES_OF_A_GROUP,
  placeOf,
  userCodeAt,
} from './user-code.ts'

/** Seconds that a person has to type the code and answer. */
export const DEVICE_LIFETIME = 600
/** Places that are tried before all count as taken. */
const MOST_TRIES = 12

/** As long as a MAC, so that an empty place takes as much time as another code in it. */
const NO_MAC = 'A'.repeat(43)

/** The parts of a request that its client decides. */
export type AskedByDevice = Omit<DeviceRecord, 'id' | 'userCode' | 'expiresAt' | 'answer'>

/** A request that waits for a person. */
export type PendingDevice = Omit<DeviceRecord, 'answer'>

export interface DeviceRequests {
  /**
   * Begins a request.
   * @param from `block`: the widest block of addresses that the client's belongs to
   * @returns the codes; undefined while too many requests of that block wait
   */
  begin(
    asked: AskedByDevice,
    from: { readonly asker: Asker; readonly block: string },
  ): Promise<{ readonly deviceCode: string; readonly userCode: string } | undefined>
  /** The request that waits under the code that was typed. Unknown, expired and answered codes are alike. */
  find(
    typed: string,
  ): Promise<{ readonly code: string; readonly request: PendingDevice } | undefined>
  /** True while the request waits. @param code in its one form */
  isPending(code: string, id: string): Promise<boolean>
  /** Answers the request. True for one caller only, and only while it waits. */
  answer(code: string, id: string, answer: DeviceAnswer): Promise<boolean>
}

/** @param deps `now` in milliseconds since the epoch; `randomBelow`: a whole number from 0, below its argument */
export function createDeviceRequests(deps: {
  readonly devices: DeviceRecords
  readonly keyring: Pick<Keyring, 'mac' | 'verifyMac'>
  readonly now: () => number
  readonly randomId: () => string
  readonly randomBelow: (limit: number) => number
}): DeviceRequests {
  const { devices, keyring, randomId, randomBelow } = deps
  const now = () => Math.floor(deps.now() / 1000)
  const message = (code: string) => `user-code|${code}`

  async function pendingAt(code: string): Promise<DeviceRecord | undefined> {
    const found = await devices.find(placeOf(code))
    const isTheCode = keyring.verifyMac('device', message(code), found?.userCode ?? NO_MAC)
    return found && isTheCode && !found.answer && now() < found.expiresAt ? found : undefined
  }

  return {
    async begin(asked, { asker, block }) {
      const id = randomId()
      const expiresAt = now() + DEVICE_LIFETIME
      const first = firstPlaceOf(keyring.mac('device', `block|${block}`), asker)
      for (let tries = 0; tries < MOST_TRIES; tries += 1) {
        const place = first + randomBelow(PLACES_OF_A_GROUP)
        const userCode = userCodeAt(place, randomBelow(CODES_OF_A_PLACE))
        const record = {
          ...asked,
          id,
          userCode: keyring.mac('device', message(userCode)),
          expiresAt,
        }
        if (await devices.create(place, record, DEVICE_LIFETIME)) {
          const code = { id, place, expiresAt }
          return { deviceCode: formatDeviceCode(code, asked.clientHash, keyring), userCode }
        }
      }
      return undefined
    },
    async find(typed) {
      const code = normalizedUserCode(typed)
      const request = code === undefined ? undefined : await pendingAt(code)
      return code !== undefined && request ? { code, request } : undefined
    },
    isPending: async (code, id) => (await pendingAt(code))?.id === id,
    async answer(code, id, answer) {
      const pending = await pendingAt(code)
      if (pending?.id !== id) return false
      const ttl = Math.max(1, pending.expiresAt - now())
      return devices.replace(placeOf(code), pending, { ...pending, answer }, ttl)
    },
  }
}

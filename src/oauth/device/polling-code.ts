/**
 * The code by which a device asks for its tokens (RFC 8628 section 3.2): `<id>.<place>.<expires>.<MAC>`. The MAC binds it
 * to the client, so a guess or another client's code never reaches the store.
 *
 * @module
 */
import type { Keyring } from '../../crypto.ts'

export interface DeviceCode {
  /** The id of the request: 128 random bits. */
  readonly id: string
  readonly place: number
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

const FORM = /^([\w-]{22})\.(\d{1,5})\.(\d{1,12})\.([\w-]{43})$/

const message = ({ id, place, expiresAt }: DeviceCode, clientHash: string) =>
  `code|${id}|${place}|${expiresAt}|${clientHash}`

/** @param clientHash of the client that the code is for */
export function formatDeviceCode(
  code: DeviceCode,
  clientHash: string,
  keyring: Pick<Keyring, 'mac'>,
): string {
  const mac = keyring.mac('device', message(code, clientHash))
  return [code.id, code.place, code.expiresAt, mac].join('.')
}

/** The code that was presented, expired or not; undefined if we never gave it to this client. */
export function parseDeviceCode(
  presented: string,
  clientHash: string,
  keyring: Pick<Keyring, 'verifyMac'>,
): DeviceCode | undefined {
  const [, id = '', place = '', expiresAt = '', mac = ''] = FORM.exec(presented) ?? []
  const code = { id, place: Number(place), expiresAt: Number(expiresAt) }
  return keyring.verifyMac('device', message(code, clientHash), mac) ? code : undefined
}

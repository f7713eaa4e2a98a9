/**
 * Proves on a shared host that our own page posted the code of a device. A page of a protected server there has our
 * origin: it could post a code of its own choice, and press Allow on the answer (threat T35). The page with the form
 * opens for no page of that host, so nobody else has its proof. Pure.
 *
 * @module
 */
import type { Keyring } from '../crypto.ts'
import { shownUserCode } from '../oauth/device/user-code.ts'
import { DEVICE_PATH, ownPath } from '../paths.ts'

/** The name of the form's field. */
export const FORM_PROOF = 'proof'

const messageOf = (browser: string) => `form ${browser}`

/** @param browser the hash of the browser's cookie */
export const formProof = (keyring: Keyring, browser: string): string =>
  keyring.mac('device', messageOf(browser))

/** True for the proof of a page that this browser got. Constant time. */
export const isFormProof = (
  keyring: Keyring,
  { browser, proof }: { readonly browser: string; readonly proof: string | undefined },
): boolean => proof !== undefined && keyring.verifyMac('device', messageOf(browser), proof)

/** The address of the page with a code filled in, which only the person sends. */
export const deviceFormUrl = (issuer: string, userCode: string): string =>
  `${ownPath(issuer, DEVICE_PATH)}?user_code=${shownUserCode(userCode)}`

/**
 * The rules for addresses that a fetch may connect to.
 *
 * @module
 */
import { isLoopbackAddress, isLoopbackName, isSpecialUse } from '../url/special-use.ts'

/**
 * Addresses of the public Internet.
 * @param options `loopback`: also those of this machine, for `localhost`, names below it and loopback addresses
 *   themselves; a name of the DNS that points here stays refused
 */
export function publicAddresses(options: {
  readonly loopback: boolean
}): (address: string, host: string) => boolean {
  return (address, host) =>
    !isSpecialUse(address) ||
    (options.loopback && isLoopbackName(host) && isLoopbackAddress(address))
}

/**
 * Limits the requests of an address that are let in by nothing: scanners, and clients that repeat a bad token. Requests
 * with a good credential are never counted, so nobody can use up the limit of the people of a shared address.
 *
 * @module
 */
import { readerOf } from '../http/browser-request.ts'
import type { ClientAddress } from '../http/client-address.ts'
import { countAddressHere, type RateCounter } from '../http/rate-counter.ts'
import { tooManyRefused } from './answer-table.ts'
import type { Check, Checked, CheckedKind } from './check.ts'

const REFUSED: ReadonlySet<CheckedKind> = new Set([
  'challenged',
  'token-refused',
  'address-unknown',
  'request-refused',
])

/**
 * The same check, which answers 429 above the limit. Each process counts by itself: the check awaits nothing for it.
 * @param options `max`: refused requests per minute and address; 0 means no limit
 */
export function limitRefusals(
  check: Check,
  options: {
    readonly max: number
    readonly counter: RateCounter
    readonly clientAddress: ClientAddress
  },
): Check {
  const { max, counter, clientAddress } = options
  if (max === 0) return check
  const limited = (checked: Checked, request: Parameters<Check>[0]): Checked => {
    const { carrier, located, rawHeaders, requestId } = request
    if (!carrier || !REFUSED.has(checked.kind)) return checked
    const { count, remainingMs } = countAddressHere(counter, max, clientAddress(carrier))
    if (count <= max) return checked
    const asker = { requestId, reader: () => readerOf(located.method, rawHeaders) }
    const seconds = Math.max(1, Math.ceil(remainingMs / 1000))
    return { ...checked, answer: tooManyRefused(seconds, asker), reason: 'rate limit' }
  }
  return (request) => {
    const checked = check(request)
    return checked instanceof Promise
      ? checked.then((answered) => limited(answered, request))
      : limited(checked, request)
  }
}

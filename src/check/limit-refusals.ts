/**
 * Limits the requests of an address that are let in by nothing: scanners, and clients that repeat a bad token. A caller
 * whose credential we made is never counted nor kept out, even if it has expired or lacks a scope: no scanner has one.
 *
 * Requests that a page of another site makes have a count of their own. Such a page in the browser of a colleague cannot
 * use up the limit of the office, and a program that pretends to be one gains no way around the limit.
 *
 * @module
 */
import { readerOf, siteOf } from '../http/browser-request.ts'
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

/** True if the caller holds a credential of ours: verified, or proven by its MAC (`about`) and expired. */
const isProven = ({ verified, about }: Checked): boolean =>
  verified !== undefined || about !== undefined

/**
 * The same check, which answers 429 above the limit. Each process counts by itself: the check awaits nothing for it.
 * @param options `max`: refused requests per minute and address; 0 means no limit;
 *   `counters`: for requests that pages of other sites make (`Sec-Fetch-Site: cross-site`), and for all others
 */
export function limitRefusals(
  check: Check,
  options: {
    readonly max: number
    readonly counters: { readonly ordinary: RateCounter; readonly crossSite: RateCounter }
    readonly clientAddress: ClientAddress
  },
): Check {
  const { max, counters, clientAddress } = options
  if (max === 0) return check
  const limited = (checked: Checked, request: Parameters<Check>[0]): Checked => {
    const { carrier, located, rawHeaders, requestId } = request
    if (!carrier || !REFUSED.has(checked.kind) || isProven(checked)) return checked
    const counter = siteOf(rawHeaders) === 'cross-site' ? counters.crossSite : counters.ordinary
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

/**
 * The access token of a token answer (RFC 6749 section 5.1), with the time at which it ends.
 *
 * @module
 */
import type { PersonToken } from './provider.ts'

/** @param now milliseconds since the epoch, when the answer came */
export function personTokenOf(
  answer: { readonly access_token: string; readonly expires_in?: number | undefined },
  now: number,
): PersonToken {
  const { access_token: value, expires_in: seconds } = answer
  return {
    value,
    ...(seconds !== undefined && { until: Math.floor(now / 1000 + seconds) }),
  }
}

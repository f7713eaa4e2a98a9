/**
 * The access token of a token answer (RFC 6749 section 5.1), with the time at which it ends.
 *
 * @module
 */
import type { PersonToken } from './provider.ts'

/** @param asked milliseconds since the epoch: before the request, so that no token seems to last longer than it does */
export function personTokenOf(
  answer: { readonly access_token: string; readonly expires_in?: number | undefined },
  asked: number,
): PersonToken {
  const { access_token: value, expires_in: seconds } = answer
  return {
    value,
    ...(seconds !== undefined && { until: Math.floor(asked / 1000 + seconds) }),
  }
}

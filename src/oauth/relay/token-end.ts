/**
 * Ends tokens of the provider whose grant is over (RFC 7009), as far as the provider lets us. The grant has ended already,
 * so nobody waits for this.
 *
 * @module
 */
import type { Events } from '../../events.ts'
import { type Provider, ProviderFailure, type ProviderTokenSet } from '../../providers/provider.ts'

export function createTokenEnd({
  provider,
  events,
}: {
  readonly provider: Provider
  readonly events: Events
}): (tokens: ProviderTokenSet | undefined) => void {
  const relay = provider.kind === 'redirect' ? provider.relay : undefined
  return (tokens) => {
    if (tokens?.refreshToken === undefined) return
    relay?.revoke(tokens.refreshToken).catch((error: unknown) =>
      events.emit({
        event: 'provider-failed',
        provider: provider.id,
        // The message of a ProviderFailure holds no token; another error is a mistake of ours, and may.
        reason: `a token whose permission is over lives on there: ${error instanceof ProviderFailure ? error.message : 'unexpected error'}`,
      }),
    )
  }
}

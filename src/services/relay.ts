/**
 * The way of the provider's own tokens to clients.
 *
 * @module
 */
import { createTokenJudge } from '../check/relayed-tokens.ts'
import { createKeptTokens } from '../oauth/relay/kept-tokens.ts'
import { createRelay, type Relay } from '../oauth/relay/relay.ts'
import { createRenewal } from '../oauth/relay/renewal.ts'
import type { AppDeps } from './app-deps.ts'
import type { buildCheck } from './check.ts'
import type { Foundation } from './foundation.ts'

/** The way of the provider's own tokens to clients, where they get those. */
export function buildRelay(
  { config, events, now }: AppDeps,
  { records, keyring, provider, endTokens: onOrphan, resources }: Foundation,
  { providerTokens }: ReturnType<typeof buildCheck>,
): Relay | undefined {
  if (config.clientTokens !== 'provider') return undefined
  if (provider.kind !== 'redirect' || !provider.relay || !providerTokens) {
    throw new Error(`the tokens of ${provider.id} cannot be handed to clients`)
  }
  const kept = createKeptTokens({ records, keyring, onOrphan, now })
  return createRelay({
    judge: createTokenJudge(providerTokens),
    kept,
    renew: createRenewal({ provider: provider.relay, kept, records }),
    records,
    resources,
    events,
    providerId: provider.id,
    now,
  })
}

/**
 * The services of the token endpoint.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { randomToken } from '../crypto.ts'
import type { GrantDeps } from '../oauth/grants/grant-type.ts'
import { createRecheck } from '../oauth/recheck.ts'
import { createRelayIssuer } from '../oauth/relay/handed-tokens.ts'
import type { Relay } from '../oauth/relay/relay.ts'
import { createTokenIssuer } from '../oauth/tokens/issuer.ts'
import type { AppDeps } from './app-deps.ts'
import type { Foundation } from './foundation.ts'
import { rechecksOf } from './rechecks.ts'

/** The services of the token endpoint. */
export function buildGrants(
  { config, now, elapsed }: AppDeps,
  foundation: Foundation,
  relay: Relay | undefined,
): GrantDeps {
  const { records, resources, keyring, accessTokens, persons, machines, provider } = foundation
  const lifetime = config.lifetimes.accessToken
  const personTokenOf = foundation.personTokens.find
  const own = createTokenIssuer({ accessTokens, keyring, lifetime, personTokenOf, now })
  const rechecks = rechecksOf(provider)
  const providerId = provider.id
  return {
    records,
    machines,
    resources,
    keyring,
    tokens: relay ? createRelayIssuer({ own, relay, keyring, now }) : own,
    ...(relay && { renew: relay.renew }),
    personExists: async (grant) => (await persons.find(grant)) !== undefined,
    recheck:
      rechecks &&
      createRecheck({
        ...foundation,
        rechecks,
        providerId,
        now,
        elapsed,
        randomToken,
        wait: delay,
      }),
    userOfGrant: foundation.userOfGrant,
    lifetimes: config.lifetimes,
    now,
    randomToken,
  }
}

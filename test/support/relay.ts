/**
 * The app with `CLIENT_TOKENS=provider`, at a provider that rotates its refresh tokens.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Config } from '../../src/config/config.ts'
import { startHostileProvider } from './hostile-provider.ts'
import { type Journey, startJourney } from './provider-journey.ts'
import { ACCEPTING } from './provider-tokens.ts'

type Json = Record<string, unknown>

export interface RelayJourney extends Journey {
  /** Changes the claims of the access tokens that the provider issues from now on. */
  claims: Json
  /** The access tokens that it issued, in order. */
  readonly issued: readonly string[]
}

/** Every access token is for our client and lives five minutes, as Keycloak's. */
export async function startRelay(changes: Partial<Config> = {}): Promise<RelayJourney> {
  const provider = await startHostileProvider()
  const journey = await startJourney(
    { clientTokens: 'provider', resources: [ACCEPTING], ...changes },
    provider,
  )
  const issued: string[] = []
  const relay: RelayJourney = { ...journey, claims: {}, issued }
  provider.issues = async () => {
    const now = Math.floor(journey.clock() / 1000)
    const token = await provider.signToken({
      iss: provider.issuer,
      aud: 'account',
      azp: 'gatewarden',
      typ: 'Bearer',
      iat: now,
      exp: now + 300,
      jti: randomUUID(),
      scope: 'openid email profile',
      ...provider.person,
      ...relay.claims,
    })
    issued.push(token)
    return token
  }
  return relay
}

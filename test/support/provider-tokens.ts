/**
 * The app in front of a server that accepts the provider's own tokens, and the provider that issues them.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'
import type { Config } from '../../src/config/config.ts'
import { buildTestApp, resource, type TestApp } from './build-app.ts'
import { type HostileProvider, startHostileProvider } from './hostile-provider.ts'
import { check } from './oauth-client.ts'

type Json = Record<string, unknown>

export interface Accepting extends TestApp {
  readonly provider: HostileProvider
  /** The claims of a good access token as Keycloak has them, changed; undefined members are left out. */
  claims(changes?: Json): Json
  /** A signed access token with these claims. */
  token(changes?: Json): Promise<string>
  /** An opaque token that introspection knows with these claims. */
  opaque(changes?: Json): string
  /** Sends a request with this bearer token. */
  bring(token: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>
}

/** The only server, which accepts the provider's tokens. */
export const ACCEPTING = resource({ acceptProviderTokens: true })

export async function startAccepting(changes: Partial<Config> = {}): Promise<Accepting> {
  const provider = await startHostileProvider()
  const test = await buildTestApp({
    provider: provider.config,
    users: [],
    resources: [ACCEPTING],
    ...changes,
  })
  const claims = (more: Json = {}): Json => {
    const now = Math.floor(test.clock() / 1000)
    const all = {
      iss: provider.issuer,
      aud: 'account',
      azp: 'gatewarden',
      typ: 'Bearer',
      iat: now,
      exp: now + 3600,
      jti: randomUUID(),
      scope: 'openid email profile',
      ...provider.person,
      ...more,
    }
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  }
  return {
    ...test,
    provider,
    claims,
    token: (more) => provider.signToken(claims(more)),
    opaque(more) {
      const token = `opaque-${randomUUID()}`
      provider.introspected.set(token, claims({ iss: undefined, typ: undefined, ...more }))
      return token
    },
    bring: (token, headers) => check(test.app, { authorization: `Bearer ${token}`, ...headers }),
  }
}

/**
 * What the settings about the provider change.
 *
 * @module
 */
import { expect } from 'vitest'
import { createBrowser } from '../../support/browser.ts'
import type { TestApp } from '../../support/build-app.ts'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type HostileProvider,
  startHostileProvider,
} from '../../support/hostile-provider.ts'
import { authorizeUrl, check, register } from '../../support/oauth-client.ts'
import { approve, obtainTokensThere } from '../../support/provider-journey.ts'
import { startUpstream } from '../../support/upstream-server.ts'
import { type Effect, start } from './start.ts'

/**
 * A person of the provider arrives at the protected server as one of the group `readers`, which the provider says
 * in a claim of its own. Its token endpoint takes no other client id and secret than the configured ones.
 */
export async function expectPersonOf(
  startWith: (provider: HostileProvider, clientSecret: string) => Promise<TestApp>,
): Promise<void> {
  const provider = await startHostileProvider()
  provider.person.teams = ['readers']
  const test = await startWith(provider, CLIENT_SECRET)
  const client = await register(test.app)
  const tokens = await obtainTokensThere({ ...test, provider, client, untrusted: client })
  const { headers } = await check(test.app, { authorization: `Bearer ${tokens.access_token}` })
  expect(headers).toMatchObject({
    'x-forwarded-user': 'ann@example.com',
    'x-forwarded-groups': 'readers',
  })
  expect(provider.asked('/token')).toBe(1)
}

const expectOidc: Effect = () =>
  expectPersonOf((provider, clientSecret) =>
    start({
      PROVIDER: 'oidc',
      ISSUER_URL: provider.issuer,
      CLIENT_ID,
      CLIENT_SECRET: clientSecret,
      GROUPS_CLAIM: 'teams',
    }),
  )

const expectKeycloak: Effect = async () => {
  const keycloak = await startUpstream((_request, response) => response.writeHead(404).end())
  const { port } = new URL(keycloak.origin)
  const { app } = await start({
    PROVIDER: 'keycloak',
    KEYCLOAK_AUTH_PROTOCOL: 'http',
    KEYCLOAK_AUTH_HOST: '127.0.0.1',
    KEYCLOAK_AUTH_PORT: port,
    KEYCLOAK_REALM: 'people',
    CLIENT_ID,
    CLIENT_SECRET,
  })
  await approve(createBrowser(app), authorizeUrl(await register(app)))
  expect(keycloak.requests[0]).toMatchObject({
    url: '/realms/people/.well-known/openid-configuration',
    headers: { host: `127.0.0.1:${port}` },
  })
}

export const provider: Record<
  | 'provider'
  | 'issuer_url'
  | 'client_id'
  | 'client_secret'
  | 'groups_claim'
  | 'keycloak_auth_host'
  | 'keycloak_auth_port'
  | 'keycloak_auth_protocol'
  | 'keycloak_realm',
  Effect
> = {
  provider: expectOidc,
  issuer_url: expectOidc,
  client_id: expectOidc,
  client_secret: expectOidc,
  groups_claim: expectOidc,
  keycloak_auth_host: expectKeycloak,
  keycloak_auth_port: expectKeycloak,
  keycloak_auth_protocol: expectKeycloak,
  keycloak_realm: expectKeycloak,
}

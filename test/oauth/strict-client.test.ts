/**
 * `oauth4webapi`, the strictest client library that we know of, over real HTTP on loopback: it judges every answer of ours
 * by the RFC that it belongs to, and throws where one differs.
 */
import { exportJWK } from 'jose'
import * as oauth from 'oauth4webapi'
import { beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../scripts/lib/ports.ts'
import type { ClientConfig } from '../../src/oauth/clients/client.ts'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, createClock, resource, type TestApp } from '../support/build-app.ts'
import { approveDevice, DEVICE_CODE } from '../support/device.ts'
import { ON_LOOPBACK, startDocumentHost } from '../support/document-host.ts'
import { REDIRECT_URI, signIn } from '../support/oauth-client.ts'

/** Plain http, because this is loopback. */
const INSECURE = { [oauth.allowInsecureRequests]: true }
const SECRET = 'the-secret-of-the-nightly-report'
const NIGHTLY: ClientConfig = {
  id: 'nightly',
  name: 'Nightly report',
  secret: SECRET,
  redirectUris: [],
  grantTypes: ['client_credentials'],
  authMethod: 'client_secret_basic',
}

let gateway: TestApp
let issuer: string
/** The URL of the protected server. */
let server: string
let as: oauth.AuthorizationServer
beforeEach(async () => {
  const port = await freePort()
  issuer = `http://127.0.0.1:${port}`
  server = `http://localhost:${port}/notes/mcp`
  gateway = await buildTestApp(
    {
      ...ON_LOOPBACK,
      publicUrl: { origin: issuer, host: `127.0.0.1:${port}`, secure: false },
      resources: [resource({ url: server })],
      clients: [NIGHTLY],
    },
    // The library looks at the clock of this machine.
    { clock: createClock(Date.now()) },
  )
  await gateway.app.listen({ host: '127.0.0.1', port })
  as = await discover(new URL(issuer))
})

async function discover(at: URL, algorithm: 'oauth2' | 'oidc' = 'oauth2') {
  const answer = await oauth.discoveryRequest(at, { ...INSECURE, algorithm })
  return oauth.processDiscoveryResponse(at, answer)
}

async function registered(metadata: Partial<oauth.Client> = {}): Promise<oauth.Client> {
  const request = {
    client_name: 'Strict client',
    redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: 'none',
    ...metadata,
  }
  return oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(as, request, INSECURE),
  )
}

/** Signs ann in, and gives the library the whole callback, which it checks for `state` and `iss`. */
async function authorized(
  client: oauth.Client,
): Promise<{ callback: URLSearchParams; verifier: string }> {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(as.authorization_endpoint ?? '')
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: REDIRECT_URI,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    resource: server,
    scope: 'mcp offline_access',
  }).toString()
  const answer = await signIn(createBrowser(gateway.app, issuer), url.href)
  const arrived = new URL(String(answer.headers.location))
  return { callback: oauth.validateAuthResponse(as, client, arrived, state), verifier }
}

async function redeemed(client: oauth.Client, proof: oauth.ClientAuth) {
  const { callback, verifier } = await authorized(client)
  const options = { ...INSECURE, additionalParameters: { resource: server } }
  const answer = await oauth.authorizationCodeGrantRequest(
    ...([as, client, proof, callback, REDIRECT_URI, verifier, options] as const),
  )
  return oauth.processAuthorizationCodeResponse(as, client, answer)
}

const refreshed = async (client: oauth.Client, proof: oauth.ClientAuth, token: string) =>
  oauth.processRefreshTokenResponse(
    as,
    client,
    await oauth.refreshTokenGrantRequest(as, client, proof, token, INSECURE),
  )

const introspected = async (client: oauth.Client, proof: oauth.ClientAuth, token: string) =>
  oauth.processIntrospectionResponse(
    as,
    client,
    await oauth.introspectionRequest(as, client, proof, token, INSECURE),
  )

const revoked = async (client: oauth.Client, proof: oauth.ClientAuth, token: string) =>
  oauth.processRevocationResponse(await oauth.revocationRequest(as, client, proof, token, INSECURE))

/** Verifies the token as a server does (RFC 9068 section 4), with the keys at our `jwks_uri`. */
const verified = (token: string) =>
  oauth.validateJwtAccessToken(
    as,
    new Request(server, { headers: { authorization: `Bearer ${token}` } }),
    server,
    INSECURE,
  )

describe('discovery', () => {
  it('leads from the protected server to the issuer, by either document', async () => {
    const at = new URL(server)
    const found = await oauth.processResourceDiscoveryResponse(
      at,
      await oauth.resourceDiscoveryRequest(at, INSECURE),
    )
    expect(found.authorization_servers).toEqual([issuer])
    expect((await discover(new URL(issuer), 'oidc')).token_endpoint).toBe(as.token_endpoint)
  })

  it('announces no pushed requests, and the library makes none', async () => {
    const client = await registered()
    await expect(
      oauth.pushedAuthorizationRequest(as, client, oauth.None(), { resource: server }, INSECURE),
    ).rejects.toMatchObject({ code: oauth.MISSING_SERVER_METADATA })
    expect(as.require_pushed_authorization_requests).toBeUndefined()
  })
})

/** How a registered client proves itself, by the method in its registration. */
function proofOf({ token_endpoint_auth_method, client_secret }: oauth.Client): oauth.ClientAuth {
  if (token_endpoint_auth_method === 'none') return oauth.None()
  const secret = String(client_secret)
  return token_endpoint_auth_method === 'client_secret_post'
    ? oauth.ClientSecretPost(secret)
    : oauth.ClientSecretBasic(secret)
}

it.each(['none', 'client_secret_post', 'client_secret_basic'])(
  'a client with the method %s registers, gets tokens, refreshes and revokes them',
  async (token_endpoint_auth_method) => {
    const client = await registered({ token_endpoint_auth_method })
    const proof = proofOf(client)
    const first = await redeemed(client, proof)
    expect(first.scope).toBe('mcp offline_access')
    expect((await verified(first.access_token)).client_id).toBe(client.client_id)
    const second = await refreshed(client, proof, String(first.refresh_token))
    await verified(second.access_token)
    await revoked(client, proof, String(second.refresh_token))
    await expect(refreshed(client, proof, String(second.refresh_token))).rejects.toMatchObject({
      code: oauth.RESPONSE_BODY_ERROR,
      error: 'invalid_grant',
      status: 400,
    })
  },
)

it.each(['client_secret_post', 'client_secret_basic'])(
  'a client with the method %s introspects its token, until it is revoked',
  async (token_endpoint_auth_method) => {
    const client = await registered({ token_endpoint_auth_method })
    const proof = proofOf(client)
    const { access_token } = await redeemed(client, proof)
    expect(await introspected(client, proof, access_token)).toMatchObject({
      active: true,
      client_id: client.client_id,
      iss: issuer,
      aud: server,
      token_type: 'Bearer',
    })
    await revoked(client, proof, access_token)
    expect(await introspected(client, proof, access_token)).toEqual({ active: false })
  },
)

it('a wrong secret is a challenge that the library can read (RFC 6749 section 5.2)', async () => {
  const client = await registered({ token_endpoint_auth_method: 'client_secret_basic' })
  await expect(redeemed(client, oauth.ClientSecretBasic('wrong'))).rejects.toMatchObject({
    code: oauth.WWW_AUTHENTICATE_CHALLENGE,
    status: 401,
  })
})

it('a program gets tokens by client credentials, and no refresh token', async () => {
  const client = { client_id: NIGHTLY.id }
  const tokens = await oauth.processClientCredentialsResponse(
    as,
    client,
    await oauth.clientCredentialsGrantRequest(
      as,
      client,
      oauth.ClientSecretBasic(SECRET),
      { resource: server },
      INSECURE,
    ),
  )
  expect(tokens).not.toHaveProperty('refresh_token')
  expect((await verified(tokens.access_token)).client_id).toBe(NIGHTLY.id)
})

it('a device gets its codes, waits, and gets its tokens once the person has answered', async () => {
  const client = await registered({ grant_types: [DEVICE_CODE, 'refresh_token'] })
  const codes = await oauth.processDeviceAuthorizationResponse(
    as,
    client,
    await oauth.deviceAuthorizationRequest(
      as,
      client,
      oauth.None(),
      { resource: server },
      INSECURE,
    ),
  )
  const poll = async () =>
    oauth.processDeviceCodeResponse(
      as,
      client,
      await oauth.deviceCodeGrantRequest(as, client, oauth.None(), codes.device_code, INSECURE),
    )
  await expect(poll()).rejects.toMatchObject({ error: 'authorization_pending', status: 400 })
  await approveDevice(createBrowser(gateway.app, issuer), codes)
  gateway.clock.advance(codes.interval ?? 5)
  const tokens = await poll()
  await verified(tokens.access_token)
  expect(tokens.refresh_token).toBeTruthy()
})

it('a client with a metadata document proves itself by private_key_jwt in every request', async () => {
  const { publicKey, privateKey } = await oauth.generateKeyPair('ES256')
  const kid = 'key-1'
  const host = await startDocumentHost()
  const { client_id } = host.publish({
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid, use: 'sig' }] },
  })
  const client = { client_id }
  const proof = oauth.PrivateKeyJwt({ key: privateKey, kid })
  const first = await redeemed(client, proof)
  const second = await refreshed(client, proof, String(first.refresh_token))
  expect((await introspected(client, proof, second.access_token)).active).toBe(true)
  await revoked(client, proof, second.access_token)
  expect((await introspected(client, proof, second.access_token)).active).toBe(false)
})

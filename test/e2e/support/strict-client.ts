/**
 * `oauth4webapi` as an MCP client uses it: from the challenge of the server to a token, and every answer judged by its RFC.
 *
 * @module
 */
import * as oauth from 'oauth4webapi'
import { exchange } from './http-exchange.ts'

/** Plain http, because this is loopback. */
const INSECURE = { [oauth.allowInsecureRequests]: true }
/** No program listens there. */
const REDIRECT_URI = 'http://127.0.0.1:9/callback'

/**
 * Discovers, registers, signs a person in, redeems the code and refreshes.
 * @returns the access token of the refresh
 * @throws Error of the library, if an answer differs from its RFC
 */
export async function signInStrictly(options: {
  /** The URL of the protected server. */
  readonly url: string
  /** Takes a person to the callback and returns its address. */
  readonly signIn: (url: URL) => Promise<URL>
}): Promise<string> {
  const resource = options.url
  const as = await discovered(resource)
  const client = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(
      as,
      {
        client_name: 'Strict client',
        redirect_uris: [REDIRECT_URI],
        token_endpoint_auth_method: 'none',
      },
      INSECURE,
    ),
  )
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
    resource,
  }).toString()
  const callback = oauth.validateAuthResponse(as, client, await options.signIn(url), state)
  const asked = { ...INSECURE, additionalParameters: { resource } }
  const answer = await oauth.authorizationCodeGrantRequest(
    ...([as, client, oauth.None(), callback, REDIRECT_URI, verifier, asked] as const),
  )
  const { refresh_token = '' } = await oauth.processAuthorizationCodeResponse(as, client, answer)
  const refreshed = await oauth.refreshTokenGrantRequest(
    ...([as, client, oauth.None(), refresh_token, asked] as const),
  )
  return (await oauth.processRefreshTokenResponse(as, client, refreshed)).access_token
}

/** The login of a server, by the document that its challenge names (RFC 9728 section 5.1). */
async function discovered(resource: string): Promise<oauth.AuthorizationServer> {
  const { headers } = await exchange(new URL(resource), { method: 'POST' })
  const named = /resource_metadata="([^"]*)"/.exec(headers['www-authenticate'] ?? '')?.[1] ?? ''
  const document = await oauth.processResourceDiscoveryResponse(
    new URL(resource),
    await fetch(named, { redirect: 'manual' }),
  )
  const issuer = new URL(document.authorization_servers?.[0] ?? '')
  const answer = await oauth.discoveryRequest(issuer, { ...INSECURE, algorithm: 'oauth2' })
  return oauth.processDiscoveryResponse(issuer, answer)
}

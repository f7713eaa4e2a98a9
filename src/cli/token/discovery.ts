/**
 * Finds the authorization server of an MCP server, as an MCP client does: the challenge of a 401, the metadata of the
 * protected resource (RFC 9728), the metadata of the authorization server (RFC 8414).
 *
 * @module
 */
import { z } from 'zod'
import { plain } from '../answers.ts'
import { followable, NoToken, type Requests, shaped } from './requests.ts'

/** The authorization server, as far as the device grant needs it. */
export interface Found {
  readonly resource: string
  /** The scopes that the server asks for; undefined: it names none. */
  readonly scope: string | undefined
  readonly issuer: string
  readonly deviceEndpoint: URL
  readonly tokenEndpoint: URL
  readonly registrationEndpoint: URL | undefined
}

const ResourceMetadata = z.object({
  resource: z.string(),
  authorization_servers: z.array(z.string()).min(1),
  scopes_supported: z.array(z.string()).optional(),
})
const ServerMetadata = z.object({
  issuer: z.string(),
  token_endpoint: z.string(),
  device_authorization_endpoint: z.string().optional(),
  registration_endpoint: z.string().optional(),
})

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'gatewarden token', version: '1' },
  },
}

/** @throws NoToken if the server needs no token, or anything on the way is missing */
export async function discover(server: URL, requests: Requests): Promise<Found> {
  const challenge = await challengeOf(server, requests)
  const described = await resourceMetadata(server, challenge.metadata, requests)
  const issuer = followable(described.authorization_servers[0], server)
  const metadata = await serverMetadata(issuer, described.authorization_servers[0] ?? '', requests)
  if (metadata.device_authorization_endpoint === undefined) {
    throw new NoToken(`${issuer.href} has no device grant (RFC 8628) for this command.`)
  }
  return {
    resource: described.resource,
    scope: challenge.scope ?? described.scopes_supported?.join(' '),
    issuer: metadata.issuer,
    deviceEndpoint: followable(metadata.device_authorization_endpoint, server),
    tokenEndpoint: followable(metadata.token_endpoint, server),
    registrationEndpoint:
      metadata.registration_endpoint === undefined
        ? undefined
        : followable(metadata.registration_endpoint, server),
  }
}

async function challengeOf(
  server: URL,
  requests: Requests,
): Promise<{ readonly metadata?: string; readonly scope?: string }> {
  const { status, headers } = await requests.post(server, { json: INITIALIZE })
  if (status >= 200 && status < 300) throw new NoToken(`${server.href} needs no token.`)
  if (status !== 401) {
    throw new NoToken(
      `${server.href} answered ${status}, and not 401 as a server that wants a token.`,
    )
  }
  const header = headers.get('www-authenticate') ?? ''
  const metadata = parseChallengeParameter(header, 'resource_metadata')
  const scope = parseChallengeParameter(header, 'scope')
  return { ...(metadata !== undefined && { metadata }), ...(scope !== undefined && { scope }) }
}

/** The value of a parameter of a `WWW-Authenticate` header. */
export const parseChallengeParameter = (header: string, name: string): string | undefined =>
  new RegExp(`(?:^|[\\s,])${name}="([^"\\\\]*)"`, 'i').exec(header)?.[1]

/** The document that the challenge names, else those at the well-known places (RFC 9728 section 3.1). */
async function resourceMetadata(
  server: URL,
  named: string | undefined,
  requests: Requests,
): Promise<z.output<typeof ResourceMetadata>> {
  const path = server.pathname === '/' ? '' : server.pathname
  const wellKnown = `${server.origin}/.well-known/oauth-protected-resource`
  const places = named === undefined ? [`${wellKnown}${path}`, wellKnown] : [named]
  const at = await firstThere(
    places.map((place) => followable(place, server)),
    requests,
  )
  if (!at) throw new NoToken(`${server.href} does not say where to sign in (RFC 9728).`)
  const metadata = shaped(ResourceMetadata, at.answer, at.url)
  // Section 3.3: a server could send us for a token of another one.
  if (!covers(metadata.resource, server)) {
    throw new NoToken(
      `the metadata of ${server.href} is about another server: ${plain(metadata.resource)}`,
    )
  }
  return metadata
}

/** RFC 8414 section 3.1, then OIDC Discovery 1.0 section 4. */
async function serverMetadata(
  issuer: URL,
  named: string,
  requests: Requests,
): Promise<z.output<typeof ServerMetadata>> {
  const path = issuer.pathname.replace(/\/$/, '')
  const places = [
    `${issuer.origin}/.well-known/oauth-authorization-server${path}`,
    `${issuer.origin}/.well-known/openid-configuration${path}`,
    `${issuer.origin}${path}/.well-known/openid-configuration`,
  ]
  const at = await firstThere(
    [...new Set(places)].map((place) => new URL(place)),
    requests,
  )
  if (!at)
    throw new NoToken(`${issuer.href} has no metadata of an authorization server (RFC 8414).`)
  const metadata = shaped(ServerMetadata, at.answer, at.url)
  // Section 3.3. A final slash is no difference between two servers.
  const bare = (text: string) => text.replace(/\/$/, '')
  if (bare(metadata.issuer) !== bare(named)) {
    throw new NoToken(`${at.url.href} is about another issuer: ${plain(metadata.issuer)}`)
  }
  return metadata
}

async function firstThere(urls: readonly URL[], requests: Requests) {
  for (const url of urls) {
    const answer = await requests.get(url)
    if (answer.status === 200) return { url, answer }
  }
  return undefined
}

/** True if the resource is the server, or holds its address below it. */
function covers(resource: string, server: URL): boolean {
  const url = URL.canParse(resource) ? new URL(resource) : undefined
  const below = (path: string) => (path.endsWith('/') ? path : `${path}/`)
  return url?.origin === server.origin && below(server.pathname).startsWith(below(url.pathname))
}

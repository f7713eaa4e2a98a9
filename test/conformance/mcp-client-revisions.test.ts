/**
 * The way of a client to its first call, as each revision of MCP has it. Clients of a revision do not know later
 * demands, and an authorization server that makes those must not stop them.
 */
import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import { check, signIn } from '../support/oauth-client.ts'
import {
  challengeOf,
  fetchFrom,
  ISSUER,
  resourceMetadata,
  responseOf,
  serverMetadata,
} from './wire.ts'

const MCP_ORIGIN = 'https://mcp.example.com'
const VERIFIER = 'the-verifier-of-a-client-of-one-revision-or-other'
const REDIRECT = 'http://localhost:6274/oauth/callback'

interface Endpoints {
  readonly authorize: string
  readonly token: string
  readonly register: string
}

interface Revision {
  readonly revision: string
  /** Finds the authorization server as the client does. */
  discover(app: FastifyInstance): Promise<Endpoints>
  /** The `resource` of both requests; clients of the first revision name none (row A31 of docs/conformance.md). */
  readonly resource?: string
  /** The scope of the challenge, if the revision reads it. */
  readonly scope?: string
  readonly registers?: Readonly<Record<string, unknown>>
  /** True if the client compares `iss` with the issuer. */
  readonly comparesIssuer?: boolean
}

const RESOURCE = `${MCP_ORIGIN}/notes/mcp`

async function throughChallenge(app: FastifyInstance): Promise<Endpoints> {
  const { resource_metadata = '' } = challengeOf(await check(app)).parameters
  const { authorization_servers } = await resourceMetadata(app, resource_metadata)
  expect(authorization_servers[0]).toBe(ISSUER)
  return endpointsOf(await serverMetadata(app))
}

async function throughWellKnown(app: FastifyInstance): Promise<Endpoints> {
  const found = `${MCP_ORIGIN}/.well-known/oauth-protected-resource/notes/mcp`
  expect((await resourceMetadata(app, found)).authorization_servers[0]).toBe(ISSUER)
  return endpointsOf(await serverMetadata(app))
}

const endpointsOf = (metadata: Awaited<ReturnType<typeof serverMetadata>>): Endpoints => ({
  authorize: metadata.authorization_endpoint,
  token: metadata.token_endpoint,
  register: metadata.registration_endpoint,
})

const REVISIONS: readonly Revision[] = [
  {
    revision: '2025-03-26, by metadata at the origin of the server',
    async discover(app) {
      const url = `${MCP_ORIGIN}/.well-known/oauth-authorization-server`
      const metadata = (await fetchFrom(app, url)).json()
      return endpointsOf(metadata)
    },
  },
  {
    revision: '2025-03-26, by its default endpoints at the origin of the server',
    discover: async () => ({
      authorize: `${MCP_ORIGIN}/authorize`,
      token: `${MCP_ORIGIN}/token`,
      register: `${MCP_ORIGIN}/register`,
    }),
  },
  { revision: '2025-06-18', discover: throughChallenge, resource: RESOURCE },
  { revision: '2025-11-25', discover: throughWellKnown, resource: RESOURCE, scope: 'mcp' },
  {
    revision: '2026-07-28',
    discover: throughChallenge,
    resource: RESOURCE,
    scope: 'mcp offline_access',
    registers: { application_type: 'native' },
    comparesIssuer: true,
  },
]

const post = (app: FastifyInstance, url: string, body: object | string) => {
  const { host, pathname } = new URL(url)
  const form = typeof body === 'string'
  return app.inject({
    method: 'POST',
    url: pathname,
    headers: {
      host,
      'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
    },
    payload: body,
  })
}

describe.each(REVISIONS)('a client of $revision', (revision) => {
  let gateway: TestApp
  let endpoints: Endpoints
  let clientId: string
  beforeEach(async () => {
    gateway = await buildTestApp()
    endpoints = await revision.discover(gateway.app)
    const registered = await post(gateway.app, endpoints.register, {
      client_name: 'A client',
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...revision.registers,
    })
    expect(registered.statusCode).toBe(201)
    clientId = registered.json().client_id
  })

  const optional = () => ({
    ...(revision.resource !== undefined && { resource: revision.resource }),
  })

  async function authorize(): Promise<Record<string, string>> {
    const parameters = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: REDIRECT,
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      state: 'xyz',
      ...optional(),
      ...(revision.scope !== undefined && { scope: revision.scope }),
    })
    // The server's own origin sends the person on to the origin that shows pages.
    const { host, pathname } = new URL(endpoints.authorize)
    const first = await gateway.app.inject({ url: `${pathname}?${parameters}`, headers: { host } })
    const shown = first.headers.location ?? `${endpoints.authorize}?${parameters}`
    return responseOf(await signIn(createBrowser(gateway.app), String(shown)))
  }

  const token = (parameters: Record<string, string>) =>
    post(
      gateway.app,
      endpoints.token,
      new URLSearchParams({ client_id: clientId, ...optional(), ...parameters }).toString(),
    )

  it('comes from the first 401 to a call, and refreshes', async () => {
    const answer = await authorize()
    expect(answer.state).toBe('xyz')
    if (revision.comparesIssuer) expect(answer.iss).toBe(ISSUER)
    const issued = await token({
      grant_type: 'authorization_code',
      code: answer.code ?? '',
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
    })
    expect(issued.statusCode).toBe(200)
    const refreshed = await token({
      grant_type: 'refresh_token',
      refresh_token: issued.json().refresh_token,
    })
    expect(refreshed.statusCode).toBe(200)
    for (const { access_token } of [issued.json(), refreshed.json()]) {
      const call = await check(gateway.app, { authorization: `Bearer ${access_token}` })
      expect(call.statusCode).toBe(200)
    }
  })
})

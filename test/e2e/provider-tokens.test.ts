/**
 * A real Keycloak's own tokens as bearers, through Traefik and Gatewarden to an application that returns its headers.
 *
 * @module
 */
import { createHmac, createPublicKey } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { callWith, readTokens, signInByHand } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import { person, startTestKeycloak, type TestKeycloak } from './support/keycloak.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

const Tokens = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  id_token: z.string().optional(),
})
type Tokens = z.infer<typeof Tokens>

describe.skipIf(isSkipped('keycloak') || isSkipped('traefik'))("Keycloak's own tokens", () => {
  let keycloak: TestKeycloak
  let world: World
  let app: RecordingServer

  beforeAll(async () => {
    keycloak = await startTestKeycloak()
    app = await startRecordingServer((_request, response) => response.end('app'))
    world = await startWorld({
      front: 'traefik',
      upstream: app.address,
      settings: { ...keycloak.settings, PROVIDER_TOKEN_CLIENTS: 'old-app,fleeting,lightweight' },
      resource: { accept_provider_tokens: true },
      moreResources: ({ publicUrl }) => ({ other: { url: `${publicUrl}/other/mcp` } }),
      file: { users: {}, allow: { domains: ['example.com'], groups: ['/guests'] } },
    })
    await keycloak.addProgram({ id: 'old-app' })
    await keycloak.addProgram({ id: 'stranger' })
    await keycloak.addProgram({ id: 'bound', audiences: [world.mcpUrl] })
    await keycloak.addProgram({ id: 'mcpauth', audiences: [world.publicUrl] })
    await keycloak.addProgram({ id: 'elsewhere', audiences: [`${world.publicUrl}/other/mcp`] })
    await keycloak.addProgram({
      id: 'lightweight',
      audiences: ['gatewarden'],
      attributes: { 'client.use.lightweight.access.token.enabled': 'true' },
    })
    await keycloak.addProgram({
      id: 'rfc9068',
      audiences: [world.mcpUrl],
      attributes: { 'access.token.header.type.rfc9068': 'true' },
    })
    await keycloak.addProgram({
      id: 'fleeting',
      attributes: { 'access.token.lifespan': '3' },
    })
  }, 300_000)

  afterAll(async () => {
    await world?.stop()
    await app?.close()
    await keycloak?.stop()
  })

  async function post(url: string, form: Record<string, string>): Promise<Tokens> {
    const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) })
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`)
    return Tokens.parse(await answer.json())
  }
  const tokenUrl = () => `${keycloak.issuer}/protocol/openid-connect/token`
  /** The tokens that a program gets for a person's password. */
  const tokensOf = (name: string, program = 'old-app') =>
    post(tokenUrl(), {
      grant_type: 'password',
      client_id: program,
      client_secret: program,
      scope: 'openid',
      username: name,
      password: person(name).password,
    })

  /** Sends a token to the MCP server. @returns the answer, and the headers that the application received, if any */
  async function bring(token: string) {
    const before = app.requests.length
    const answer = await exchange(new URL(world.mcpUrl), {
      headers: { authorization: `Bearer ${token}` },
    })
    return { ...answer, received: app.requests[before]?.headers }
  }
  async function expectRefused(token: string, status = 401): Promise<void> {
    const answer = await bring(token)
    expect(answer.status).toBe(status)
    expect(answer.received).toBeUndefined()
  }

  it.each(['old-app', 'bound', 'mcpauth', 'rfc9068', 'lightweight'])(
    'open the server, as %s has them',
    async (program) => {
      const { access_token } = await tokensOf('alice', program)
      const { status, received } = await bring(access_token)
      expect(status).toBe(200)
      expect(received).toMatchObject({
        'x-forwarded-user': 'alice@example.com',
        'x-forwarded-email': 'alice@example.com',
        'x-user-name': 'Alice Adams',
        'x-user-id': expect.stringMatching(/^u_/),
      })
      expect(received?.['x-forwarded-groups']?.toString().split(',').toSorted()).toEqual([
        '/staff',
        '/staff/editors',
      ])
      // The server offers no scope of the provider.
      expect(received?.['x-forwarded-scopes']).toBe('')
      expect(received).not.toHaveProperty('authorization')
    },
  )

  it('name a person as a login does', async () => {
    const { tokens } = await signInByHand({
      issuer: world.publicUrl,
      resource: world.mcpUrl,
      person: person('alice'),
    })
    const ours = await bring(tokens.access_token)
    const theirs = await bring((await tokensOf('alice')).access_token)
    expect(theirs.received?.['x-user-id']).toBe(ours.received?.['x-user-id'])
  })

  it('are subject to who may pass', async () => {
    await expectRefused((await tokensOf('bob')).access_token, 403)
    await expectRefused((await tokensOf('mallory')).access_token, 403)
    expect((await bring((await tokensOf('carol')).access_token)).status).toBe(200)
  })

  it('of a program alone belong to no person who may pass', async () => {
    const { access_token } = await post(tokenUrl(), {
      grant_type: 'client_credentials',
      client_id: 'old-app',
      client_secret: 'old-app',
    })
    await expectRefused(access_token, 403)
  })

  it('are refused unless they are access tokens', async () => {
    for (const program of ['old-app', 'lightweight']) {
      const { id_token, refresh_token } = await tokensOf('alice', program)
      await expectRefused(id_token ?? '')
      await expectRefused(refresh_token ?? '')
    }
  })

  it('are refused when they are for somebody else', async () => {
    await expectRefused((await tokensOf('alice', 'stranger')).access_token)
    await expectRefused((await tokensOf('alice', 'elsewhere')).access_token)
  })

  it('are refused when another realm of the same Keycloak issued them', async () => {
    const { access_token } = await post(tokenUrl().replace(/\/realms\/[^/]+/, '/realms/master'), {
      grant_type: 'password',
      client_id: 'admin-cli',
      username: 'admin',
      password: 'admin-password',
    })
    await expectRefused(access_token)
  })

  it('are refused when they were forged with what is public', async () => {
    const { access_token } = await tokensOf('alice')
    const [header = '', payload = '', signature = ''] = access_token.split('.')
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const { kid }: { kid: string } = JSON.parse(Buffer.from(header, 'base64url').toString())
    const certs = await fetch(`${keycloak.issuer}/protocol/openid-connect/certs`)
    const { keys } = z
      .object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) })
      .parse(await certs.json())
    const key = keys.find((candidate) => candidate.kid === kid)
    if (!key) throw new Error('Keycloak does not publish its key')
    const pem = createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    const input = `${part({ alg: 'HS256', typ: 'JWT', kid })}.${payload}`
    const hs256 = createHmac('sha256', pem).update(input).digest('base64url')
    await expectRefused(`${input}.${hs256}`)
    await expectRefused(`${part({ alg: 'none', typ: 'JWT' })}.${payload}.`)
    await expectRefused(
      `${part({ alg: 'RS256', typ: 'JWT', kid: 'unknown' })}.${payload}.${signature}`,
    )
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    await expectRefused(`${header}.${part({ ...claims, email: 'x@example.com' })}.${signature}`)
    expect((await bring(access_token)).status).toBe(200)
  })

  it('are refused when they have expired, even if they were good a moment ago', async () => {
    const { access_token } = await tokensOf('alice', 'fleeting')
    expect((await bring(access_token)).status).toBe(200)
    await expect
      .poll(async () => (await bring(access_token)).status, { timeout: 10_000, interval: 500 })
      .toBe(401)
  })

  it('are known within seconds when Keycloak has a new key', async () => {
    await keycloak.rotateKeys()
    // After a forged key id, Gatewarden fetches no new key for 5 s.
    await expect
      .poll(async () => (await bring((await tokensOf('alice')).access_token)).status, {
        timeout: 15_000,
        interval: 1_000,
      })
      .toBe(200)
  })

  it('outlive a logout if they are signed, and do not if Keycloak has to be asked', async () => {
    const [signed, asked] = [await tokensOf('alice'), await tokensOf('alice', 'lightweight')]
    await keycloak.logOut('alice')
    expect((await bring(signed.access_token)).status).toBe(200)
    await expectRefused(asked.access_token)
  })

  it('are announced in the metadata, after us', async () => {
    const { pathname, origin } = new URL(world.mcpUrl)
    const url = new URL(`/.well-known/oauth-protected-resource${pathname}`, origin)
    expect(JSON.parse((await exchange(url)).body).authorization_servers).toEqual([
      world.publicUrl,
      keycloak.issuer,
    ])
  })

  it('reach a client that gets them (CLIENT_TOKENS), are refreshed, and end at Keycloak with it', async () => {
    const relaying = await startWorld({
      front: 'builtin',
      upstream: app.address,
      settings: { ...keycloak.settings, CLIENT_TOKENS: 'provider' },
      resource: { accept_provider_tokens: true },
      file: { users: {}, allow: { domains: ['example.com'] } },
    })
    try {
      const { client, tokens } = await signInByHand({
        issuer: relaying.publicUrl,
        resource: relaying.mcpUrl,
        person: person('alice'),
      })
      expect(decodeJwt(tokens.access_token)).toMatchObject({
        iss: keycloak.issuer,
        azp: 'gatewarden',
      })
      expect((await callWith(tokens.access_token, relaying.mcpUrl)).status).toBe(200)
      const renewed = readTokens(await client.refresh(tokens.refresh_token))
      expect(renewed.access_token).not.toBe(tokens.access_token)
      expect((await callWith(renewed.access_token, relaying.mcpUrl)).status).toBe(200)
      const revoked = await fetch(`${relaying.publicUrl}/revoke`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: client.clientId, token: renewed.refresh_token }),
      })
      expect(revoked.status).toBe(200)
      const { CLIENT_ID = '', CLIENT_SECRET = '' } = keycloak.settings
      await expect
        .poll(async () => {
          const answer = await fetch(`${tokenUrl()}/introspect`, {
            method: 'POST',
            body: new URLSearchParams({
              client_id: CLIENT_ID,
              client_secret: CLIENT_SECRET,
              token: renewed.access_token,
            }),
          })
          return answer.json()
        })
        .toEqual({ active: false })
      expect(relaying.log()).not.toContain('eyJ')
    } finally {
      await relaying.stop()
    }
  })

  it('stand in no line of the log', () => {
    expect(world.log()).not.toContain('eyJ')
    expect(world.log()).toContain('resources.sample.accept_provider_tokens')
  })
})

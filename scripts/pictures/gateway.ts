/**
 * A running Gatewarden with people, a protected server and three kinds of programs, for the pictures of its pages.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { startGatewarden } from '../lib/gatewarden.ts'
import { freePort } from '../lib/ports.ts'

/** Ann may use the server, Bob may not. */
export const PEOPLE = {
  ann: { email: 'ann@example.com', password: 'correct horse battery staple' },
  bob: { email: 'bob@elsewhere.example', password: 'tall green paper lantern' },
} as const

type Kind = 'local' | 'hosted' | 'app'

export interface Gateway {
  readonly origin: string
  /** The request of a program: on this computer, on a website, or an app that opens links of its own. */
  authorizationUrl(kind: Kind): string
  stop(): Promise<void>
}

/** As plain as the gateway itself: the session of its host is for this server (decision K7). No page shows the scheme. */
const RESOURCE = 'http://mcp.example.com/notes/mcp'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

/** @param brand the `brand` section of the configuration */
export async function startGateway(brand?: Readonly<Record<string, string>>): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'gatewarden-'))
  const program = createServer((_request, response) => response.end('You are connected.'))
  const programPort = await freePort()
  await new Promise<void>((resolve) => program.listen(programPort, '127.0.0.1', resolve))
  const listen = { host: '127.0.0.1', port: await freePort() }
  const origin = `http://127.0.0.1:${listen.port}`
  const users = Object.entries(PEOPLE).map(async ([name, { email, password }]) => [
    name,
    { email, password_hash: await hash(password) },
  ])
  const running = await startGatewarden({
    folder,
    listen,
    file: {
      public_url: origin,
      resources: {
        notes: {
          url: RESOURCE,
          name: 'Team notes',
          default: true,
          scopes: {
            'notes:read': 'Read your notes',
            'notes:write': 'Change and delete your notes',
          },
        },
      },
      allow: { domains: ['example.com'] },
      users: Object.fromEntries(await Promise.all(users)),
      ...(brand && { brand }),
    },
    settings: { ENABLE_EDGE_AUTH: 'true' },
  })

  const redirects: Readonly<Record<Kind, { readonly name: string; readonly uri: string }>> = {
    local: { name: 'Claude Code', uri: `http://127.0.0.1:${programPort}/callback` },
    hosted: { name: 'Claude', uri: 'https://claude.ai/api/mcp/auth_callback' },
    app: { name: 'Cursor', uri: 'cursor://anysphere.cursor-mcp/oauth/callback' },
  }
  const ids = new Map<string, string>()
  for (const [kind, { name, uri }] of Object.entries(redirects)) {
    const answer = await fetch(`${origin}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: name,
        redirect_uris: [uri],
        token_endpoint_auth_method: 'none',
      }),
    })
    const { client_id: id } = (await answer.json()) as { client_id?: string }
    if (id === undefined) throw new Error(`${name} could not register: ${answer.status}`)
    ids.set(kind, id)
  }

  return {
    origin,
    authorizationUrl(kind) {
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: ids.get(kind) ?? '',
        redirect_uri: redirects[kind].uri,
        code_challenge: CHALLENGE,
        code_challenge_method: 'S256',
        scope: 'notes:read notes:write',
        state: 's',
        resource: RESOURCE,
      })
      return `${origin}/authorize?${query}`
    },
    async stop() {
      await running.stop()
      program.closeAllConnections()
      await new Promise((resolve) => program.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

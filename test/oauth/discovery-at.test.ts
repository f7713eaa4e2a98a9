/** Discovery through a proxy that routes little: `DISCOVERY_AT` (seeds sp2), RFC 9728 sections 3.3 and 5.1. */
import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { connectSdk1, connectSdk2 } from '../e2e/support/mcp-clients.ts'
import { createBrowser } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { narrowNetwork } from '../support/narrow-network.ts'
import { check, signIn } from '../support/oauth-client.ts'

const PRM = '/.well-known/oauth-protected-resource'
const OURS = `https://auth.example.com${PRM}/auth/r`

const RESOURCES = [
  resource({ allow: ANYONE, aliases: ['http://notes.internal:8080/mcp'] }),
  resource({ id: 'whole', url: 'https://whole.example.com', allow: ANYONE }),
  resource({ id: 'labs', url: 'https://*.labs.example.com/mcp', allow: ANYONE }),
  resource({ id: 'six', url: 'http://[2001:db8::1]:8080/mcp', allow: ANYONE }),
  resource({ id: 'here', url: 'https://auth.example.com/here', allow: ANYONE }),
]
const start = (discoveryAt: 'resource' | 'gateway') =>
  buildTestApp({ resources: RESOURCES, discoveryAt })

/** The address that the challenge for a URL names. */
async function documentOf(app: FastifyInstance, asked: string): Promise<string> {
  const { protocol, host, pathname } = new URL(asked)
  const { headers } = await check(app, {
    'x-forwarded-proto': protocol.slice(0, -1),
    'x-forwarded-host': host,
    'x-forwarded-uri': pathname,
  })
  return /resource_metadata="([^"]*)"/.exec(String(headers['www-authenticate']))?.[1] ?? ''
}

const read = (app: FastifyInstance, address: string, method: 'GET' | 'OPTIONS' = 'GET') => {
  const { host, pathname } = new URL(address)
  const headers = { host, origin: 'https://web.example', 'access-control-request-method': 'GET' }
  return app.inject({ method, url: pathname, headers })
}

describe('with DISCOVERY_AT=gateway the challenge names a document on our host, about exactly', () => {
  it.each([
    ['a server', 'https://mcp.example.com/notes/mcp', '/mcp.example.com/notes/mcp'],
    ['a path below it', 'https://mcp.example.com/notes/mcp/x', '/mcp.example.com/notes/mcp/x'],
    ['its final slash', 'https://mcp.example.com/notes/mcp/', '/mcp.example.com/notes/mcp/'],
    ['an escape as sent', 'https://mcp.example.com/notes/%6dcp', '/mcp.example.com/notes/%6dcp'],
    ['a second name', 'http://notes.internal:8080/mcp', '/notes.internal:8080/mcp'],
    ['a whole host at a path', 'https://whole.example.com/mcp', '/whole.example.com/mcp'],
    ['a host of a wildcard', 'https://a.labs.example.com/mcp', '/a.labs.example.com/mcp'],
    ['an IPv6 address', 'http://[2001:db8::1]:8080/mcp', '/%5B2001:db8::1%5D:8080/mcp'],
  ])('%s', async (_what, asked, document) => {
    const { app } = await start('gateway')
    expect(await documentOf(app, asked)).toBe(OURS + document)
    const answer = await read(app, OURS + document)
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toMatchObject({
      resource: asked,
      authorization_servers: ['https://auth.example.com'],
    })
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    expect((await read(app, OURS + document, 'OPTIONS')).statusCode).toBe(204)
  })

  it('a server on our own host, where it always was', async () => {
    const { app } = await start('gateway')
    const document = `https://auth.example.com${PRM}/here`
    expect(await documentOf(app, 'https://auth.example.com/here')).toBe(document)
    expect((await read(app, document)).json().resource).toBe('https://auth.example.com/here')
  })

  it('a server behind our own proxy', async () => {
    const { app } = await buildTestApp({
      resources: [resource({ upstream: 'http://127.0.0.1:9/mcp' })],
      discoveryAt: 'gateway',
    })
    const answer = await app.inject({ url: '/notes/mcp', headers: { host: 'mcp.example.com' } })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain(`"${OURS}/mcp.example.com/notes/mcp"`)
  })
})

it('keeps the documents of both forms, whatever the setting says, for challenges that clients still have', async () => {
  for (const discoveryAt of ['resource', 'gateway'] as const) {
    const { app } = await start(discoveryAt)
    for (const address of [
      `https://mcp.example.com${PRM}/notes/mcp`,
      `${OURS}/mcp.example.com/notes/mcp`,
    ]) {
      expect((await read(app, address)).json().resource).toBe('https://mcp.example.com/notes/mcp')
    }
  }
})

it.each([
  `${OURS}/elsewhere.test/mcp`,
  `${OURS}/mcp.example.com/other`,
  `${OURS}/user@mcp.example.com/notes/mcp`,
  `${OURS}/mcp.example.com%2Fnotes/mcp`,
  `${OURS}//notes/mcp`,
  `${OURS}/`,
  OURS,
  `https://mcp.example.com${PRM}/auth/r/mcp.example.com/notes/mcp`,
])('has no document at %s', async (address) => {
  const { app } = await start('gateway')
  expect((await read(app, address)).statusCode).toBe(404)
})

describe.each([
  ['TypeScript SDK 1.x', connectSdk1],
  ['TypeScript SDK 2.x', connectSdk2],
] as const)('a client made of the %s', (_name, connect) => {
  async function connectThrough(discoveryAt: 'resource' | 'gateway', isRouted: boolean) {
    const { app } = await start(discoveryAt)
    const { fetch, asked } = narrowNetwork(app, {
      isRouted: ({ host, pathname }) =>
        host === 'auth.example.com' || (isRouted && pathname.startsWith('/.well-known/')),
    })
    const session = await connect({
      url: 'https://mcp.example.com/notes/mcp',
      memory: { signIns: 0 },
      fetch,
      signIn: async (url) => {
        const back = await signIn(createBrowser(app), url.href)
        await globalThis.fetch(String(back.headers.location))
      },
    })
    await session.close()
    return asked
  }

  it('signs in where the well-known paths of the server arrive', async () => {
    const asked = await connectThrough('resource', true)
    expect(asked).toContain(`mcp.example.com${PRM}/notes/mcp`)
  })

  it('signs in with DISCOVERY_AT=gateway where nothing of the host arrives but the server', async () => {
    const asked = await connectThrough('gateway', false)
    expect(asked).toContain(`auth.example.com${PRM}/auth/r/mcp.example.com/notes/mcp`)
    expect(new Set(asked.filter((address) => address.startsWith('mcp.')))).toEqual(
      new Set(['mcp.example.com/notes/mcp']),
    )
  })

  it('cannot sign in there without the setting', async () => {
    await expect(connectThrough('resource', false)).rejects.toThrow()
  })
})

/**
 * The examples of babs' and risedphantom's README, with what their pages add and the hosts of this machine, sign in a real MCP
 * client through pass-through. The other three systems have a proxy in front: test/e2e/migrate-mcpauth.test.ts and
 * test/e2e/nginx-ingress.test.ts.
 */
import type { FastifyInstance } from 'fastify'
import { expect, it } from 'vitest'
import { freePort } from '../../scripts/lib/ports.ts'
import { createBrowser } from '../e2e/support/browser.ts'
import { connectSdk1 } from '../e2e/support/mcp-clients.ts'
import { blockOf } from '../support/documentation.ts'
import { CLIENT_ID, CLIENT_SECRET, startHostileProvider } from '../support/hostile-provider.ts'
import { startScopedServer } from '../support/scoped-server.ts'
import { migrationPage } from './migration-page.ts'
import { startTheirs } from './their-settings.ts'

/** Signs a person in for a client that knows only the URL of the server, and calls a tool. */
async function connectAndCall(app: FastifyInstance, url: string): Promise<void> {
  await app.listen({ host: '127.0.0.1', port: Number(new URL(url).port) })
  const memory = { signIns: 0 }
  const signIn = (address: URL) => createBrowser().signIn(address, { name: '', password: '' })
  const session = await connectSdk1({ url, signIn, memory })
  expect(await session.listTools()).toContain('tool_0')
  await session.close()
  expect(memory.signIns).toBe(1)
}

it('babs/mcp-auth-proxy: its variables', async () => {
  const { settingsOf } = migrationPage('babs-mcp-auth-proxy')
  const [port, provider, server] = [
    await freePort(),
    await startHostileProvider(),
    await startScopedServer(undefined, { json: true }),
  ]
  const { app } = await startTheirs({
    ...settingsOf('example: environment'),
    ...settingsOf('example: added settings'),
    OIDC_ISSUER_URL: provider.issuer,
    OIDC_CLIENT_ID: CLIENT_ID,
    OIDC_CLIENT_SECRET: CLIENT_SECRET,
    PROXY_BASE_URL: `http://localhost:${port}`,
    UPSTREAM_MCP_URL: server.url,
  })
  await connectAndCall(app, `http://localhost:${port}${new URL(server.url).pathname}`)
  expect(server.requests.at(-1)?.headers['x-user-email']).toBe('ann@example.com')
})

it('risedphantom/mcp-oauth2-proxy: its file, as ours', async () => {
  const { text } = migrationPage('risedphantom-mcp-oauth2-proxy')
  const [port, provider, server] = [
    await freePort(),
    await startHostileProvider(),
    await startScopedServer(undefined, { json: true }),
  ]
  const yaml = blockOf(text, 'example: gatewarden.yaml')
    .replaceAll('https://mcp-proxy.example.com', `http://localhost:${port}`)
    .replace('http://localhost:3000', new URL(server.url).origin)
    .replace('https://auth.example.com/realms/myrealm', provider.issuer)
    .replace('client_id: mcp-proxy', `client_id: ${CLIENT_ID}`)
    .replace(/client_secret: .*/, `client_secret: ${CLIENT_SECRET}`)
  const { app } = await startTheirs({}, yaml)
  await connectAndCall(app, `http://localhost:${port}${new URL(server.url).pathname}`)
  expect(server.requests.at(-1)?.headers['x-forwarded-by']).toBe('mcp-oauth2-proxy')
})

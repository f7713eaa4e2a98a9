import { describe, expect, it } from 'vitest'
import { configCheck } from '../../src/cli/config-check.ts'
import { configPrint } from '../../src/cli/config-print.ts'
import { BASE, USERS } from '../config/harness.ts'
import { run } from './harness.ts'

const { RESOURCES: _, ...WITHOUT_RESOURCES } = BASE

/** The lines below a heading that begins so. */
const below = (stdout: string, heading: string) =>
  stdout
    .split('\n\n')
    .find((part) => part.startsWith(heading))
    ?.split('\n')
    .slice(1)
    .map((line) => line.trim())

describe('config check', () => {
  it('says what to route of the host of a server that Gatewarden forwards to', async () => {
    const yaml = `${USERS}resources: { notes: { url: 'https://mcp.example.com/notes/mcp', upstream: 'http://127.0.0.1:3000/mcp' } }\n`
    const { stdout } = await run(configCheck, { env: WITHOUT_RESOURCES, yaml })
    expect(below(stdout, 'Requests for mcp.example.com go to Gatewarden too')).toEqual([
      '/notes/mcp',
      '/.well-known/oauth-protected-resource, /.well-known/oauth-authorization-server, /.well-known/openid-configuration, /.gatewarden/ and everything below them',
      '/authorize, /token, /register',
    ])
  })

  it('sa9: with edge auth, names its check for the proxy alone and its pages for people', async () => {
    const edge = { ENABLE_EDGE_AUTH: 'true' }
    const ours = 'Requests for auth.example.com go to Gatewarden, which'
    const { stdout } = await run(configCheck, { env: { ...BASE, ...edge }, yaml: USERS })
    expect(below(stdout, ours)).toEqual([
      'all but /auth, /verify, /authenticate, /_ws_tunnel, /healthz, /readyz (for the proxy alone)',
      'of those below /auth: /auth/connect, /auth/oidc-config',
    ])
    const yaml = `${USERS}resources: { notes: { url: 'https://mcp.example.com/notes/mcp', upstream: 'http://127.0.0.1:3000/mcp' } }\n`
    const forwarding = await run(configCheck, { env: { ...WITHOUT_RESOURCES, ...edge }, yaml })
    expect(
      below(forwarding.stdout, 'Requests for mcp.example.com go to Gatewarden too')?.at(-1),
    ).toBe('/auth/connect, /auth/oidc-config')
  })

  it('K37: leaves the documents at the root to the application that has them', async () => {
    const yaml = `${USERS}resources: { notes: { url: 'https://mcp.example.com/notes/mcp', root_documents: false } }\n`
    const { stdout } = await run(configCheck, { env: WITHOUT_RESOURCES, yaml })
    expect(below(stdout, 'On mcp.example.com')).toEqual([
      '/.well-known/oauth-protected-resource and everything below it',
      "/.well-known/oauth-authorization-server/ and everything below it (the path itself is the application's)",
      "/.well-known/openid-configuration/ and everything below it (the path itself is the application's)",
      '/.gatewarden/ and everything below it',
      '/authorize, /token, /register',
    ])
  })

  it('fh19: says ok, then what to do next: the address for the proxy, routes, the URL for clients', async () => {
    const env = { ...BASE, RESOURCES: `${BASE.RESOURCES},https://wiki.example.com/mcp` }
    expect(await run(configCheck, { env, yaml: USERS })).toEqual({
      code: 0,
      stderr: '',
      stdout: `ok

Address that your proxy asks before each request (docs/proxies). In place
of gatewarden write the name or address by which it reaches this machine:
  traefik http://gatewarden:11000/auth/traefik
          http://gatewarden:11000/auth/traefik/r/mcp-example-com-notes-mcp
          http://gatewarden:11000/auth/traefik/r/wiki-example-com-mcp
  nginx   http://gatewarden:11000/auth/nginx
          http://gatewarden:11000/auth/nginx/r/mcp-example-com-notes-mcp
          http://gatewarden:11000/auth/nginx/r/wiki-example-com-mcp

Requests for auth.example.com go to Gatewarden, which listens on [::]:11000:
  all but /auth, /verify, /authenticate, /healthz, /readyz (for the proxy alone)

On mcp.example.com, wiki.example.com these paths go to Gatewarden, without a check:
  /.well-known/oauth-protected-resource and everything below it
  /.well-known/oauth-authorization-server and everything below it
  /.well-known/openid-configuration and everything below it
  /.gatewarden/ and everything below it
  /authorize, /token, /register

URL for MCP clients:
  https://mcp.example.com/notes/mcp
  https://wiki.example.com/mcp
`,
    })
  })

  it('fh19: names the redirect URI to register at the provider', async () => {
    const env = { ...BASE, PROVIDER: 'google', CLIENT_ID: 'our-id', CLIENT_SECRET: 'x'.repeat(30) }
    const { stdout } = await run(configCheck, { env })
    expect(stdout).toContain(
      'Redirect URI to register for the client our-id at accounts.google.com:\n  https://auth.example.com/callback\n',
    )
    expect(stdout).not.toContain('xxx')
    const moved = { ...env, PATH_PREFIX: '/auth-gw', CALLBACK_PATH: '/oauth/callback' }
    expect((await run(configCheck, { env: moved })).stdout).toContain(
      '  https://auth.example.com/auth-gw/oauth/callback\n',
    )
  })

  it('fh19: asks for no proxy where Gatewarden is the proxy, and names the people who get passwords', async () => {
    const args = ['--public-url', 'http://localhost:11000', '--user', 'ann@example.com']
    const { stdout } = await run(configCheck, {
      args: [...args, '--upstream', 'http://localhost:3000/mcp'],
    })
    expect(stdout).toBe(`ok

Requests for localhost:11000 go to Gatewarden, which listens on [::]:11000:
  all of them

URL for MCP clients:
  http://localhost:11000/mcp

The first start makes passwords for:
  ann@example.com
`)
  })

  it('prints every problem on a line of its own and exits with 2', async () => {
    const { code, stdout, stderr } = await run(configCheck, { env: { ...BASE, PORT: 'x' } })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^gatewarden\.yaml: no file was read/),
      'PORT: "x" is not a port. Write a number from 0 to 65535.',
      expect.stringMatching(/^users: /),
    ])
  })

  it('prints warnings beside the ok', async () => {
    const env = { ...BASE, TRUSTED_PROXIES: '::/0' }
    const { code, stderr } = await run(configCheck, { env, yaml: USERS })
    expect(code).toBe(0)
    expect(stderr).toBe('warning: TRUSTED_PROXIES: ::/0 lets everyone forge forwarded headers.\n')
  })
})

describe('config print', () => {
  it('prints what other settings imply, and never the default in its place', async () => {
    const env = {
      OAUTH_DOMAIN: 'oauth.example.com',
      CLIENT_ID: 'gatewarden',
      CLIENT_SECRET: 'from-the-provider',
      ALLOWED_EMAILS: 'ann@example.com',
    }
    const { stdout } = await run(configPrint, { env, yaml: '' })
    expect(stdout).toMatch(/^PROVIDER = google +\(implied by other settings\)$/m)
    expect(stdout).toMatch(
      /^RESOURCES = https:\/\/\*\.example\.com +\(implied by other settings\)$/m,
    )
  })

  it('shows each value and where it came from, but no secret', async () => {
    const { code, stdout } = await run(configPrint, {
      env: { ...BASE, SECRET: 'a-secret-that-nobody-may-ever-read' },
      args: ['--port', '12'],
      yaml: `${USERS}log_level: debug\n`,
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^PUBLIC_URL = https:\/\/auth\.example\.com +\(environment\)$/m)
    expect(stdout).toMatch(/^PORT = 12 +\(flag\)$/m)
    expect(stdout).toMatch(/^LOG_LEVEL = debug +\(gatewarden\.yaml\)$/m)
    expect(stdout).toMatch(/^HOST = :: +\(default\)$/m)
    expect(stdout).toMatch(/^UPSTREAM_URL is not set$/m)
    expect(stdout).toMatch(/^SECRET = \(hidden\) +\(environment\)$/m)
    expect(stdout).toMatch(/^users\.ann\.password_hash = \(hidden\)/m)
    expect(stdout).not.toMatch(/nobody-may-ever-read|argon2id/)
  })

  it('shows no secret of a preregistered client', async () => {
    const client = { client_id: 'x', client_secret: 'nobody-may-ever-read' }
    const redirect_uris = ['https://ci.example/cb']
    const { code, stdout } = await run(configPrint, {
      env: { ...BASE, MCPAUTH_BOOTSTRAP_CLIENTS: JSON.stringify([{ ...client, redirect_uris }]) },
      yaml: `${USERS}clients: [{ client_id: ci, client_secret: nobody-may-ever-read, redirect_uris: ${JSON.stringify(redirect_uris)} }]\n`,
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^MCPAUTH_BOOTSTRAP_CLIENTS = \(hidden\) +\(environment\)$/m)
    expect(stdout).toMatch(/^clients\.ci\.client_secret = \(hidden\)/m)
    expect(stdout).not.toContain('nobody-may-ever-read')
  })

  it('names a client whose people are not asked (K38)', async () => {
    const { stdout, stderr } = await run(configPrint, {
      env: BASE,
      yaml: `${USERS}clients: [{ client_id: ci, client_secret: nobody-may-ever-read, redirect_uris: ["https://ci.example/cb"], consent: false }]\n`,
    })
    expect(stdout).toMatch(/^clients\.ci\.consent = false/m)
    expect(stderr).toContain('clients.ci.consent: is false: people are not asked')
  })

  it('prints nothing of a configuration with a problem', async () => {
    const { code, stdout } = await run(configPrint, { env: BASE })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})

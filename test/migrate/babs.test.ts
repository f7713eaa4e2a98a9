/**
 * docs/migrate/babs-mcp-auth-proxy.md: every row, and the example of babs' README from its variables to a signed-in
 * person.
 */
import { describe, expect, it } from 'vitest'
import { blockOf } from '../support/documentation.ts'
import { CLIENT_ID, CLIENT_SECRET, startHostileProvider } from '../support/hostile-provider.ts'
import { startUpstream } from '../support/upstream-server.ts'
import { tryEveryRow } from './every-row.ts'
import { migrationPage } from './migration-page.ts'
import { babs } from './rows/babs.ts'
import { loadTheirs, problemsOfTheirs, send, signInTheirs, startTheirs } from './their-settings.ts'

const { text, rows, settingsOf } = migrationPage('babs-mcp-auth-proxy')
tryEveryRow(rows, babs)

describe('the example of its README', () => {
  const before = settingsOf('example: environment')
  const after = { ...before, ...settingsOf('example: added settings') }

  it('stops with what the page shows', () => {
    expect(`${problemsOfTheirs(before).join('\n')}\n`).toBe(blockOf(text, 'output: first start'))
  })

  it('starts with what the page adds, and says what has no effect', () => {
    const { config, warnings } = loadTheirs(after)
    expect(config.resources[0]?.url).toBe('https://mcp.example.com/mcp')
    expect(`${warnings.toSorted().join('\n')}\n`).toBe(blockOf(text, 'output: lines'))
  })

  it('signs a person in, and the server reads its headers', async () => {
    const provider = await startHostileProvider()
    const server = await startUpstream((_request, response) => response.end('the server'))
    const { app } = await startTheirs({
      ...after,
      OIDC_ISSUER_URL: provider.issuer,
      OIDC_CLIENT_ID: CLIENT_ID,
      OIDC_CLIENT_SECRET: CLIENT_SECRET,
      UPSTREAM_MCP_URL: `${server.origin}/mcp`,
    })
    const resource = 'https://mcp.example.com/mcp'
    const origin = 'https://mcp.example.com'
    const { access_token } = await signInTheirs(app, { origin, resource, at: provider.signIn })
    const headers = { authorization: `Bearer ${access_token}`, 'x-user-admin': 'true' }
    expect((await send(app, resource, headers, 'POST')).body).toBe('the server')
    const got = server.requests.at(-1)
    expect(got?.url).toBe('/mcp')
    expect(got?.headers).toMatchObject({
      'x-user-sub': 'subject-of-ann',
      'x-user-email': 'ann@example.com',
      'x-user-groups': 'staff',
    })
    expect(got?.headers).not.toHaveProperty('authorization')
    expect(got?.headers).not.toHaveProperty('x-user-admin')
  })
})

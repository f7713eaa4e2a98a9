/**
 * docs/migrate/risedphantom-mcp-oauth2-proxy.md: every row, and the full example of its README from its file to ours and
 * to a signed-in person.
 */
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { blockOf } from '../support/documentation.ts'
import { tryEveryRow } from './every-row.ts'
import { migrationPage } from './migration-page.ts'
import { risedphantom, signedIn } from './rows/risedphantom.ts'
import { loadTheirs, send } from './their-settings.ts'

const { text, rows } = migrationPage('risedphantom-mcp-oauth2-proxy')
const theirs = parse(blockOf(text, 'example: config.yaml'))
const ours = parse(blockOf(text, 'example: gatewarden.yaml'))
tryEveryRow(rows, risedphantom)

describe('the full example of its README', () => {
  it('says the same in our file', () => {
    const { public_url, client_lifetime, resources, providers } = ours
    expect({ public_url, client_lifetime }).toEqual({
      public_url: theirs.auth.baseUrl,
      client_lifetime: theirs.auth.clientTtl,
    })
    expect(resources.files).toMatchObject({
      url: theirs.auth.baseUrl,
      upstream: theirs.upstream.url,
      header_mutations: theirs.headers.mutations,
    })
    expect(Object.keys(resources.files.scopes)).toEqual(theirs.auth.scopesSupported)
    expect(providers.keycloak).toMatchObject({
      issuer_url: theirs.auth.issuerUrl,
      client_id: theirs.auth.clientId,
      client_secret: theirs.auth.clientSecret,
      provider_scopes: theirs.auth.oidcScopes,
    })
  })

  it('starts, and says which paths are its own and what a mutation hands out', () => {
    const { warnings } = loadTheirs({}, blockOf(text, 'example: gatewarden.yaml'))
    expect(warnings).toEqual([
      expect.stringContaining('never reach the server'),
      expect.stringContaining('authorizationHeader'),
    ])
  })

  it('signs a person in, and the server gets the headers of the list', async () => {
    const { app, server, headers } = await signedIn()
    const answer = await send(
      app,
      'https://mcp-proxy.example.com/mcp?token=t',
      { ...headers, 'x-unwanted-header': '1' },
      'POST',
    )
    expect(answer.body).toBe('the server')
    const got = server.requests.at(-1)?.headers
    expect(got).toMatchObject({
      'x-forwarded-by': 'mcp-oauth2-proxy',
      'x-query-token': 't',
      'x-original-host': 'mcp-proxy.example.com',
      'x-forwarded-email': 'ann@example.com',
    })
    expect(got).not.toHaveProperty('x-unwanted-header')
  })
})

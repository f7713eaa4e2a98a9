/**
 * docs/migrate/atrawog-mcp-oauth-gateway.md: every row, and its own `.env` from the start to a signed-in person. The real
 * Traefik with its labels is in test/e2e/migrate-mcpauth.test.ts.
 */
import { describe, expect, it } from 'vitest'
import { blockOf } from '../support/documentation.ts'
import { tryEveryRow } from './every-row.ts'
import { migrationPage } from './migration-page.ts'
import { askVerify, atrawog, startSignedIn } from './rows/atrawog.ts'
import { loadTheirs } from './their-settings.ts'

const { text, rows, settingsOf } = migrationPage('atrawog-mcp-oauth-gateway')
tryEveryRow(rows, atrawog)

describe('its .env', () => {
  const before = settingsOf('example: environment')
  const after = { ...before, ...settingsOf('example: added settings') }

  it('starts as it is, and says what the page shows', () => {
    const { config, warnings } = loadTheirs(before)
    expect(config.publicUrl.origin).toBe('https://auth.example.com')
    expect(`${warnings.toSorted().join('\n')}\n`).toBe(blockOf(text, 'output: lines'))
  })

  it('says the same with what the page adds', () => {
    const { config, warnings } = loadTheirs(after)
    expect(warnings).toEqual(loadTheirs(before).warnings)
    expect(config).toMatchObject({ discoveryAt: 'gateway', listen: { port: 8000 } })
  })

  it('signs a person in at GitHub, and the check names them as before', async () => {
    const { app, github, signIn } = await startSignedIn({
      ...after,
      TRUSTED_PROXIES: '127.0.0.1',
    })
    const asked = await askVerify(app)
    expect(asked.headers['www-authenticate']).toContain(
      'https://auth.example.com/.well-known/oauth-protected-resource/auth/r/mcp-fetch.example.com/mcp',
    )
    const { access_token } = await signIn()
    const allowed = await askVerify(app, { authorization: `Bearer ${access_token}` })
    expect(allowed.statusCode).toBe(200)
    expect(allowed.headers).toMatchObject({ 'x-user-id': '583231', 'x-user-name': 'Ann Adams' })
    github.account = { ...github.account, login: 'stranger' }
    await expect(signIn()).rejects.toThrow()
  })
})

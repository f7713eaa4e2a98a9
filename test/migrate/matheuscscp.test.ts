/**
 * docs/migrate/matheuscscp-mcp-oauth2-proxy.md: every row, and its file turned into ours, from the start to a signed-in
 * person.
 */
import { describe, expect, it } from 'vitest'
import { EVE, OTTO } from '../support/google-stand-in.ts'
import { tryEveryRow } from './every-row.ts'
import { migrationPage } from './migration-page.ts'
import { ask, matheuscscp, OUR_FILE, signedIn } from './rows/matheuscscp.ts'
import { loadTheirs } from './their-settings.ts'

const { rows } = migrationPage('matheuscscp-mcp-oauth2-proxy')
tryEveryRow(rows, matheuscscp)

describe('its file, as ours', () => {
  it('starts without a warning', () => {
    expect(loadTheirs({}, OUR_FILE).warnings).toEqual([])
  })

  it('signs a person of the domain in at Google, and the Ingress gets 200 with who it is', async () => {
    const { app, headers } = await signedIn(EVE)
    const answer = await ask(app, headers)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['x-forwarded-email']).toBe('eve@example.com')
  })

  it('lets in nobody of another domain', async () => {
    await expect(signedIn(OTTO)).rejects.toThrow()
  })
})

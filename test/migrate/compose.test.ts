/**
 * The compose files of the migration pages, as they are after the change: Compose has to take them, and the container to get
 * every setting of the page.
 */
import { describe, expect, it } from 'vitest'
import { migrationPage } from './migration-page.ts'

describe.each(['mcpauth', 'atrawog-mcp-oauth-gateway'])('the compose file of %s.md', (system) => {
  const { services, volumes } = migrationPage(system).composeOf('after')
  const ours = Object.values(services).find(({ image }) => image === 'gatewarden')

  it('declares each volume that a service has, as Compose demands', () => {
    const named = Object.values(services).flatMap((service) => service.volumes)
    expect(named).toEqual(['gatewarden:/data'])
    expect(Object.keys(volumes)).toEqual(['gatewarden'])
  })

  it('gives the whole .env to the image, and leaves the health check to it', () => {
    expect(ours?.env_file).toMatch(/(?:^|\/)\.env$/)
    expect(ours?.environment).toBeUndefined()
    expect(ours?.healthcheck).toBeUndefined()
  })
})

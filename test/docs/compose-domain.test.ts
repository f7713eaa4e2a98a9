/**
 * deploy/domain/compose.yaml, as far as it can be read: `test/e2e/compose-domain.test.ts` runs its parts.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { DOMAIN_COMPOSE, readDomainCompose } from '../support/compose.ts'
import { readPage } from '../support/documentation.ts'

const VARIABLES = { DOMAIN: 'example.com', EMAIL: 'ann@example.com' }
const { services, networks, volumes, configs } = readDomainCompose(VARIABLES)
const TEXT = readPage(DOMAIN_COMPOSE)

describe('the compose file for a domain', () => {
  it('says so where a variable is missing, and where to write it', () => {
    expect(() => readDomainCompose({})).toThrow(/DOMAIN is not set\. Write DOMAIN=\S+ into .*\.env/)
    expect(() => readDomainCompose({ DOMAIN: 'example.com' })).toThrow(
      /EMAIL is not set\. Write EMAIL=\S+ into \.env/,
    )
  })

  it('has three places to edit, each with its number', () => {
    const numbers = (pattern: RegExp) => [...TEXT.matchAll(pattern)].map(([, number]) => number)
    expect(numbers(/^# {3}(\d)\. /gm)).toEqual(['1', '2', '3'])
    expect([...new Set(numbers(/# <- (\d)\. /g))].toSorted()).toEqual(['2', '3'])
  })

  it('fh15: has a way out for a provider, and none for the server', () => {
    expect(services.gatewarden.networks).toEqual(['front', 'servers'])
    expect(networks.front).not.toHaveProperty('internal')
    expect(services['mcp-server'].networks).toEqual(['servers'])
    expect(networks.servers.internal).toBe(true)
  })

  it('fh16: keeps certificates and data in volumes that can be written', () => {
    const storage = services.traefik.command.find((flag) => flag.includes('acme.storage='))
    for (const [volume = '', folder = ''] of [
      ...services.traefik.volumes,
      ...services.gatewarden.volumes,
    ].map((entry) => entry.split(':'))) {
      expect(Object.keys(volumes)).toContain(volume)
      expect(folder).toMatch(/^\/(acme|data)$/)
    }
    expect(storage).toMatch(/=\/acme\/acme\.json$/)
  })

  it('believes Traefik and nobody else, and only Traefik has open ports', () => {
    expect(services.gatewarden.environment.TRUSTED_PROXIES).toBe(
      services.traefik.networks.front.ipv4_address,
    )
    expect(networks.front.ipam.config).toEqual([{ subnet: '172.30.12.0/29' }])
    expect(services.gatewarden).not.toHaveProperty('ports')
    expect(services['mcp-server']).not.toHaveProperty('ports')
  })

  it('has the routes and the Traefik of the shipped files', () => {
    const lab = readPage('docker-compose.yml')
    expect(lab).toContain(`image: ${services.traefik.image}\n`)
    const [closed = ''] = /!PathRegexp\(`[^`]+`\)/.exec(readPage('traefik/dynamic.yml')) ?? []
    expect(closed).toContain('healthz')
    expect(configs.routes.content).toContain(closed)
    expect(services.traefik.command).toContain(
      `--providers.file.filename=${services.traefik.configs[0]?.target}`,
    )
  })

  it('fits a screen', () => {
    expect(TEXT.split('\n').length).toBeLessThan(60)
    expect(TEXT.split('\n').filter((line) => line.length > 120)).toEqual([])
  })
})

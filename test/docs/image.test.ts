/**
 * The image and docker-compose.yml agree with each other.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { healthcheck } from '../../src/cli/healthcheck.ts'
import { loadConfig } from '../../src/config/load.ts'
import { run } from '../cli/harness.ts'
import { HASH } from '../config/harness.ts'
import { readPage } from '../support/documentation.ts'

const Compose = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      command: z.array(z.string()).optional(),
      volumes: z.array(z.union([z.string(), z.looseObject({ target: z.string() })])).optional(),
    }),
  ),
})
const DOCKERFILE = readPage('Dockerfile')
const last = (instruction: string) =>
  [...DOCKERFILE.matchAll(new RegExp(`^${instruction} (.+)$`, 'gm'))].at(-1)?.[1]

describe('the image', () => {
  const { services } = Compose.parse(parse(readPage('docker-compose.yml'), { merge: true }))

  it.each(['gatewarden', 'gatewarden-2'])(
    'finds the file that compose gives %s without a flag, and so does its health check',
    (name) => {
      const service = services[name]
      expect(service).not.toHaveProperty('command')
      // fh14: without the file, Docker says so, and makes no folder of that name.
      expect(service?.volumes).toContainEqual(
        expect.objectContaining({
          target: `${last('WORKDIR')}/gatewarden.yaml`,
          read_only: true,
          bind: { create_host_path: false },
        }),
      )
      expect(last('CMD')).toBe('["serve"]')
      expect(DOCKERFILE).toContain('CMD ["node", "dist/main.js", "healthcheck"]')
    },
  )

  it('has a health check that works with a configuration from elsewhere', async () => {
    const { code, stderr } = await run(healthcheck, { env: { DATA_DIR: '/data', PORT: '1' } })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^\/healthz did not answer on (?:::1|127\.0\.0\.1) port 1: .*ECONNREFUSED/,
    )
  })
})

/** The problems of a shipped file, with what its head tells to put in. */
function load(file: string, env: Readonly<Record<string, string>>) {
  const text = readPage(`deploy/${file}`)
    .replace('password_hash: ""', `password_hash: "${HASH}"`)
    .replace('secret: ""', `secret: ${'0a1b2c3d4e5f'.repeat(4)}`)
  return loadConfig({
    argv: [],
    cwd: '/app',
    env: { TRUSTED_PROXIES: '172.30.11.2', ...env },
    readFile(path) {
      if (path === '/app/gatewarden.yaml') return text
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    },
  }).config
}

describe('the lab', () => {
  const compose = readPage('docker-compose.yml')
  const USERS = { USERS: 'ann@example.com' }

  it('fh14: comes up in a fresh clone: its file is there, and needs no hash', () => {
    expect(compose).toMatch(/source: \S+:-\.\/deploy\/gatewarden\.example\.yaml}\n/)
    expect(compose).toMatch(/USERS: \S+LAB_USERS-ann@example\.com}\n/)
    expect(load('gatewarden.example.yaml', USERS)).toMatchObject({
      publicUrl: { origin: 'http://localhost:8080' },
      newUsers: [{ email: 'ann@example.com' }],
    })
  })

  it('has a file for Keycloak and one for replicas that load as its head says', () => {
    expect(compose).toContain('GATEWARDEN_CONFIG=./deploy/gatewarden.keycloak.yaml docker compose')
    expect(() => load('gatewarden.keycloak.yaml', USERS)).not.toThrow()
    expect(compose).toContain('LAB_USERS= docker compose --profile replicas up')
    expect(() => load('gatewarden.replicas.yaml', { USERS: '' })).not.toThrow()
  })
})

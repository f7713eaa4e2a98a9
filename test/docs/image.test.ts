/**
 * The image and docker-compose.yml agree with each other.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { healthcheck } from '../../src/cli/healthcheck.ts'
import { run } from '../cli/harness.ts'
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

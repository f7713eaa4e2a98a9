/**
 * Each promise of docs/scaling.md about an outage has a test, and the page agrees with the files that it describes.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { HASH, load, loadYaml } from '../config/harness.ts'
import { blockOf, ROOT, readPage, tableRows } from '../support/documentation.ts'

const PAGE = readPage('docs/scaling.md')

describe('the table of outages', () => {
  const table = PAGE.split('\n## What happens in an outage\n')[1] ?? ''
  const rows = tableRows(table).slice(2)

  it('has a row for each outage that was asked for', () => {
    const outages = rows.map(([outage]) => outage).join('\n')
    for (const kind of [
      'answer',
      'dies',
      'empty',
      'master',
      'full',
      'writes',
      'password',
      'disk',
    ]) {
      expect(outages).toContain(kind)
    }
  })

  it.each(rows)('%s', (...row) => {
    expect(row.length).toBe(5)
    const [, file = '', name = ''] = /^`([\w.-]+)`: (.+)$/.exec(row[4] ?? '') ?? []
    expect(readFileSync(`${ROOT}test/e2e/${file}`, 'utf8')).toContain(`it('${name}'`)
  })
})

describe('the addresses of Redis', () => {
  const addresses = [...PAGE.matchAll(/`((?:rediss?)(?:\+\w+)?:\/\/[^`]+)`/g)].map(([, url]) => url)

  it.each(addresses)('%s is one', (url = '') => {
    const { config } = load({ env: { REDIS_URL: url, SECRET: 's'.repeat(44) } })
    expect(config.redis?.hosts.length).toBeGreaterThan(0)
  })
})

describe('the profile with replicas', () => {
  const Compose = z.object({
    services: z.record(z.string(), z.looseObject({ command: z.array(z.string()).optional() })),
    networks: z.record(z.string(), z.looseObject({ internal: z.boolean().optional() })),
    volumes: z.record(z.string(), z.object({})),
  })
  const { services, networks, volumes } = Compose.parse(
    parse(readPage('docker-compose.yml'), { merge: true }),
  )
  const { gatewarden, redis } = services
  const second = services['gatewarden-2']

  it('has two Gatewardens that differ in nothing but the profile and the name they are reached by', () => {
    const { profiles, networks: reached, ...rest } = second ?? {}
    const { networks: _, ...first } = gatewarden ?? {}
    expect(rest).toEqual(first)
    expect(profiles).toEqual(['replicas'])
    expect(reached).toMatchObject({ login: { aliases: ['gatewarden'] }, store: {} })
  })

  it('has a Redis that keeps everything and that nobody else can reach', () => {
    const command = redis?.command?.join(' ')
    for (const setting of ['--appendonly yes', '--maxmemory-policy noeviction', '--aclfile ']) {
      expect(command).toContain(setting)
    }
    expect(redis).toMatchObject({ profiles: ['replicas'], networks: ['store'] })
    expect(redis).not.toHaveProperty('ports')
    expect(redis?.volumes).toContain('redis:/data')
    expect(volumes).toHaveProperty('redis')
    expect(networks.store?.internal).toBe(true)
  })

  it('lets its Redis user do what the page says', () => {
    const lines = readPage('deploy/redis.example.acl').trim().split('\n')
    expect(lines).toEqual(['user default off', blockOf(PAGE, 'acl').trim()])
  })

  it('has a configuration that loads, and a user that Redis knows', () => {
    const yaml = readPage('deploy/gatewarden.replicas.yaml')
      .replace('secret: ""', `secret: ${'s'.repeat(44)}`)
      .replace('password_hash: ""', () => `password_hash: "${HASH}"`)
    const { config } = loadYaml('', {
      env: { PUBLIC_URL: undefined, RESOURCES: undefined, ALLOWED_EMAILS: undefined },
      files: { '/srv/gatewarden.yaml': yaml },
    })
    expect(config.redis).toMatchObject({
      hosts: [{ host: 'redis', port: 6379 }],
      username: 'gatewarden',
      password: 'PASSWORD',
    })
  })
})

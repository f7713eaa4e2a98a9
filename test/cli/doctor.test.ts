/** `gatewarden doctor`, against the real gateway in this process and a proxy with one fault at a time (fh20, fm2, fm6). */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MARK_HEADER, startEcho } from '../../src/cli/doctor/echo.ts'
import { createDoctor } from '../../src/cli/doctor.ts'
import { createKeyring } from '../../src/crypto.ts'
import { createRecords } from '../../src/records/records.ts'
import { openLmdbStorage } from '../../src/storage/lmdb/lmdb.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { BASE, USERS } from '../config/harness.ts'
import {
  buildTestApp,
  createClock,
  giveSigningKeys,
  SECRET,
  type TestApp,
} from '../support/build-app.ts'
import { blockOf, readPage } from '../support/documentation.ts'
import { createInternet, type FaultyProxy } from '../support/internet.ts'
import { run } from './harness.ts'

const SERVER = 'https://mcp.example.com/notes/mcp'
const YAML = `${USERS}resources: { notes: { url: '${SERVER}' } }\n`

let folder = ''
let storage: Storage
let gateway: TestApp
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatewarden-doctor-'))
  storage = await openLmdbStorage({ dir: join(folder, 'store'), now: Date.now })
  await giveSigningKeys(storage)
})
afterAll(async () => {
  await storage.close()
  rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  gateway = await buildTestApp({}, { storage, clock: createClock(Date.now()) })
})

async function examine(proxy: FaultyProxy, args: readonly string[] = [], env = {}) {
  const { fetch, reached } = createInternet(gateway, proxy)
  const doctor = createDoctor({ fetch, second: async () => {} })
  const { PUBLIC_URL, ALLOWED_EMAILS } = BASE
  const ran = await run(doctor, {
    args,
    env: { PUBLIC_URL, ALLOWED_EMAILS, DATA_DIR: folder, SECRET, ...env },
    yaml: YAML,
  })
  return { ...ran, reached }
}

const lines = (stdout: string, label: 'ok' | 'WRONG' | '?') =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith(`${label} `))
    .map((line) => line.slice(7))
/** The text in one line, as a person reads it. */
const flat = (stdout: string) => stdout.replaceAll(/\s+/g, ' ')

describe('a deployment as the documents have it', () => {
  it('fh20: holds every promise, and the server gets the identity of the key alone', async () => {
    const { code, stdout, stderr } = await examine({ echoes: true })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(blockOf(readPage('docs/doctor.md'), 'output: doctor'))
  })

  it('says what it could not see of a server that shows no headers, and how to see it', async () => {
    const { code, stdout } = await examine({})
    expect(code).toBe(0)
    expect(lines(stdout, '?')).toEqual(['it gets the identity from Gatewarden alone, and no token'])
    expect(flat(stdout)).toContain('Run gatewarden doctor --resource notes --echo PORT')
    expect(stdout).toContain('0 wrong, 1 not checked')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('leaves no key behind', async () => {
    const { reached } = await examine({ echoes: true })
    expect(reached).toHaveLength(1)
    for await (const [key] of storage.scan('api-key:')) expect(key).toBeUndefined()
  })

  it('makes no store and no secret where there is none', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'gatewarden-doctor-'))
    const { code, stdout } = await examine({}, [], { DATA_DIR: empty, SECRET: '' })
    expect(code).toBe(0)
    expect(flat(stdout)).toContain(
      'the store of the gateway, or its secret, is not on this machine',
    )
    expect(readdirSync(empty)).toEqual([])
    rmSync(empty, { recursive: true })
  })
})

describe('each fault with its fix', () => {
  it.each<[string, FaultyProxy, string[], string]>([
    [
      'fm6: a proxy without authResponseHeaders',
      { copiesNothing: true, echoes: true },
      [
        'no client can invent an identity',
        'no credential of a client reaches it',
        'it learns from Gatewarden who calls',
      ],
      'Fix: Let the proxy copy every identity header and Authorization from the answer of Gatewarden: each name of authResponseHeaders in Traefik',
    ],
    [
      'fm2: no discovery route',
      { discovery: 404 },
      ['clients find where to sign in'],
      'Fix: Route /.well-known/oauth-protected-resource and everything below it on mcp.example.com to Gatewarden, without the login in front (docs/proxies). Or set DISCOVERY_AT=gateway',
    ],
    [
      'fm3: a route that asks about another path',
      { asksAbout: '/other' },
      ['it asks for a login'],
      'Gatewarden refuses the question of the proxy: no protected server is configured at this address Fix: Look into the log',
    ],
    [
      'fm7: http in front where the configuration says https',
      {
        answers: (url) =>
          url.host === 'mcp.example.com' && url.protocol === 'https:'
            ? new Response(null, { status: 301, headers: { location: SERVER.replace('s', '') } })
            : undefined,
      },
      ['it asks for a login'],
      'Fix: Begin resources.notes.url with http://',
    ],
    [
      'a server without the login in front',
      { isOpen: true },
      ['it asks for a login'],
      'The server answers without a login: everybody can use it. Fix: Let the route',
    ],
    [
      'the addresses for the proxy, routed for everybody',
      { routesAll: true },
      ['the addresses for the proxy are closed to others'],
      'Gatewarden answers at /auth/traefik, /readyz of auth.example.com',
    ],
    [
      'an open port 80',
      {
        answers: (url) =>
          url.protocol === 'http:' ? new Response('', { status: 405 }) : undefined,
      },
      ['it is not open without TLS'],
      'Fix: Redirect port 80 to https, or close it.',
    ],
    [
      'another gateway at PUBLIC_URL',
      {
        answers: (url) =>
          url.host === 'auth.example.com'
            ? Response.json({ issuer: 'https://old.example.com' })
            : undefined,
      },
      ['PUBLIC_URL answers as this gateway'],
      'is about https://old.example.com',
    ],
  ])('%s', async (_name, proxy, wrong, words) => {
    const { code, stdout } = await examine(proxy)
    expect(code).toBe(1)
    expect(lines(stdout, 'WRONG')).toEqual(wrong)
    expect(flat(stdout)).toContain(words)
  })

  it.each([
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND mcp.example.com', 'Check the DNS name'],
    [
      'a bad certificate',
      'self-signed certificate',
      'Give the proxy a certificate for mcp.example.com',
    ],
    ['another protocol', 'SSL routines: wrong version number', 'with its scheme and its port'],
  ])('no connection: %s', async (_name, message, words) => {
    const { code, stdout } = await examine({
      answers(url) {
        if (url.host !== 'mcp.example.com') return undefined
        throw new TypeError('fetch failed', { cause: new Error(message) })
      },
    })
    expect(code).toBe(1)
    expect(flat(stdout)).toContain(`did not answer: ${message}`)
    expect(flat(stdout)).toContain(words)
  })

  it('a gateway that runs on another store', async () => {
    gateway = await buildTestApp({}, { clock: createClock(Date.now()) })
    const { code, stdout } = await examine({ echoes: true })
    expect(code).toBe(1)
    expect(lines(stdout, 'WRONG')).toEqual(['a credential opens it'])
    expect(flat(stdout)).toContain('has another store or another SECRET')
  })

  it('shows no control character of a server to the terminal', async () => {
    const { stdout } = await examine({
      answers: (url) =>
        url.pathname.endsWith('/notes/mcp')
          ? new Response(null, {
              status: 401,
              headers: {
                'www-authenticate': 'Bearer resource_metadata="https://x.test/\u009b31m"',
              },
            })
          : undefined,
    })
    expect(lines(stdout, 'WRONG')).toEqual(['it asks for a login'])
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })
})

describe('a gateway that is not there', () => {
  it('is said once, and says nothing about the servers', async () => {
    const refused = () =>
      Promise.reject(
        new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:443') }),
      )
    const doctor = createDoctor({ fetch: refused, second: async () => {} })
    const { code, stdout } = await run(doctor, {
      args: [],
      env: { PUBLIC_URL: BASE.PUBLIC_URL, ALLOWED_EMAILS: '*', DATA_DIR: folder, SECRET },
      yaml: YAML,
    })
    expect(code).toBe(1)
    expect(lines(stdout, 'WRONG')).toEqual(['PUBLIC_URL answers as this gateway'])
    expect(flat(stdout)).toContain('runs and listens on port 443 of auth.example.com')
    expect(flat(stdout)).toContain('Run the command again after that is right.')
  })
})

it('the key of the command is gone afterwards', async () => {
  const { reached } = await examine({ echoes: true })
  expect(reached.length).toBeGreaterThan(0)
  const { apiKeys } = createRecords(storage, {
    keyring: createKeyring(SECRET, { issuer: BASE.PUBLIC_URL }),
  })
  const left: unknown[] = []
  for await (const key of apiKeys.all()) left.push(key)
  expect(left).toEqual([])
})

describe('--echo', () => {
  it('keeps nothing of strangers who reach its port', async () => {
    const echo = await startEcho(0)
    try {
      echo.expect('ours')
      const ask = (mark: string) =>
        fetch(`http://127.0.0.1:${echo.port}/`, { headers: { [MARK_HEADER]: mark } })
      expect((await ask('theirs')).status).toBe(503)
      expect(echo.take('theirs')).toBeUndefined()
      expect((await ask('ours')).status).toBe(200)
      expect(echo.take('ours')).toContain(`${MARK_HEADER}: ours`)
    } finally {
      echo.close()
    }
  })

  it('stands in for the server, and sees what reaches it', async () => {
    const { fetch } = createInternet(gateway, { copiesNothing: true })
    const port = 20_000 + Math.floor(Math.random() * 20_000)
    let seconds = 0
    const doctor = createDoctor({
      second: async () => {
        seconds += 1
      },
      fetch: async (input, init) => {
        const answer = await fetch(input, init)
        // The operator lets the route lead to the echo after three seconds.
        if (seconds < 3 || answer.status !== 405) return answer
        return globalThis.fetch(`http://127.0.0.1:${port}/mcp`, init)
      },
    })
    const { code, stdout, stderr } = await run(doctor, {
      args: ['--echo', String(port), '--json'],
      env: { PUBLIC_URL: BASE.PUBLIC_URL, ALLOWED_EMAILS: '*', DATA_DIR: folder, SECRET },
      yaml: YAML,
    })
    expect(stderr).toContain(`Let the route of notes lead to port ${port} of this machine now.`)
    expect(code).toBe(1)
    const { wrong, findings } = JSON.parse(stdout)
    expect(wrong).toBe(3)
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'forgery', server: 'notes', state: 'wrong' }),
    )
    expect(seconds).toBe(3)
  })

  it('gives up after two minutes, and says so', async () => {
    const { code, stdout } = await examine({}, ['--echo', '0'])
    expect(code).toBe(0)
    expect(flat(stdout)).toContain('no request of this command arrived at port')
  })
})

it.each([
  [['--resource', 'note'], '--resource: no server has the id "note". Did you mean notes?'],
  [['--echo', 'here'], '--echo: is not a port'],
  [['--echo', '99999'], '--echo: is not a port'],
  [['now'], 'Usage: gatewarden doctor'],
  [['--resource'], '--resource has no value.'],
])('refuses %j', async (args, words) => {
  const { code, stderr } = await examine({}, args)
  expect(code).toBe(2)
  expect(stderr).toContain(words)
})

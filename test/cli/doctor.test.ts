/** `gatewarden doctor`, against the real gateway in this process and a proxy with one fault at a time (fh20, fm2, fm6). */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MARK_HEADER, startEcho } from '../../src/cli/doctor/echo.ts'
import { createDoctor } from '../../src/cli/doctor.ts'
import { createKeyring } from '../../src/crypto.ts'
import type { ApiKey } from '../../src/records/api-keys.ts'
import { createRecords } from '../../src/records/records.ts'
import { openLmdbStorage } from '../../src/storage/lmdb/lmdb.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { BASE, USERS } from '../config/harness.ts'
import {
  buildTestApp,
  createClock,
  giveSigningKeys,
  resource,
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

async function examine(
  proxy: FaultyProxy,
  args: readonly string[] = [],
  { env = {}, yaml = YAML }: { env?: Readonly<Record<string, string>>; yaml?: string } = {},
) {
  const { fetch, reached } = createInternet(gateway, proxy)
  const doctor = createDoctor({ fetch, second: async () => {}, exit: () => {} })
  const { PUBLIC_URL, ALLOWED_EMAILS } = BASE
  const ran = await run(doctor, {
    args,
    env: { PUBLIC_URL, ALLOWED_EMAILS, DATA_DIR: folder, SECRET, ...env },
    yaml,
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
    const { code, stdout } = await examine({}, [], { env: { DATA_DIR: empty, SECRET: '' } })
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
    const doctor = createDoctor({ fetch: refused, second: async () => {}, exit: () => {} })
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

/** The API keys in the store of the gateway. */
async function keysNow() {
  const { apiKeys } = createRecords(storage, {
    keyring: createKeyring(SECRET, { issuer: BASE.PUBLIC_URL }),
  })
  const keys: ApiKey[] = []
  for await (const key of apiKeys.all()) keys.push(key)
  return keys
}

/** Runs the command until it asks with its key; `onKey` is called then. */
function examineUntilKey(options: {
  readonly onKey: () => Promise<unknown>
  readonly exit?: (code: number) => void
  readonly yaml?: string
}) {
  const { fetch } = createInternet(gateway, {})
  const doctor = createDoctor({
    second: async () => {},
    exit: options.exit ?? (() => {}),
    async fetch(input, init) {
      if (new Headers(init?.headers).has('authorization')) await options.onKey()
      return fetch(input, init)
    },
  })
  return run(doctor, {
    env: { PUBLIC_URL: BASE.PUBLIC_URL, ALLOWED_EMAILS: '*', DATA_DIR: folder, SECRET },
    yaml: options.yaml ?? YAML,
  })
}

describe('the key of the command', () => {
  it('is gone afterwards', async () => {
    const { reached } = await examine({ echoes: true })
    expect(reached.length).toBeGreaterThan(0)
    expect(await keysNow()).toEqual([])
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends before the process at %s', async (signal) => {
    const during: number[] = []
    let exit: (code: number) => void = () => {}
    const ended = new Promise<number>((resolve) => {
      exit = resolve
    })
    const left = ended.then(keysNow)
    const running = examineUntilKey({
      exit,
      async onKey() {
        during.push((await keysNow()).length)
        process.emit(signal)
        // The request has no answer yet, so nothing but the signal can have ended the key.
        await left
      },
    })
    expect(await ended).toBe(130)
    expect(during).toEqual([1])
    expect(await left).toEqual([])
    await running
  })

  it.each([
    ['the required scopes', 'required_scopes: [write]', ['write']],
    ['else the first scope', '', ['read']],
  ])('has the least scopes, for one server and five minutes: %s', async (_which, more, scopes) => {
    const found: (readonly ApiKey[])[] = []
    await examineUntilKey({
      onKey: async () => found.push(await keysNow()),
      yaml: `${USERS}resources:
  notes: { url: '${SERVER}', scopes: { read: Read, write: Write }${more && `, ${more}`} }
  wiki: { url: 'https://wiki.example.com/mcp' }
`,
    })
    const [[key] = []] = found
    expect(key).toMatchObject({ scopes, resources: ['notes'] })
    expect((key?.expiresAt ?? 0) - (key?.createdAt ?? 0)).toBe(300)
    expect(await keysNow()).toEqual([])
  })
})

describe('a server with a wildcard', () => {
  const url = 'https://*.mcp.example.com/mcp'
  const yaml = `${USERS}resources: { team: { url: '${url}' } }\n`
  beforeEach(async () => {
    const resources = [resource({ id: 'team', url })]
    gateway = await buildTestApp({ resources }, { storage, clock: createClock(Date.now()) })
  })

  it('is not checked without a host, and the flag that names it is shown', async () => {
    const { code, stdout } = await examine({ echoes: true }, [], { yaml })
    expect(code).toBe(0)
    expect(lines(stdout, '?')).toEqual(['it asks for a login'])
    expect(flat(stdout)).toContain(
      'the url has a wildcard, so this run asked no host of it. Fix: Name one of its hosts: gatewarden doctor --resource team --at HOST.mcp.example.com',
    )
  })

  it('is checked at the host of --at like any other', async () => {
    const args = ['--at', 'blue.mcp.example.com']
    const { code, stdout } = await examine({ echoes: true }, args, { yaml })
    expect(code).toBe(0)
    expect(stdout).toContain('\nteam at https://blue.mcp.example.com/mcp\n')
    expect(lines(stdout, 'ok')).toContain('no client can invent an identity')
    expect(stdout).toContain('0 wrong, 0 not checked')
    const careless = await examine({ copiesNothing: true, echoes: true }, args, { yaml })
    expect(lines(careless.stdout, 'WRONG')).toContain('no client can invent an identity')
  })

  it.each([
    ['blue.other.example.com', yaml, `"blue.other.example.com" is no host of ${url}.`],
    ['blue.mcp.example.com', YAML, 'no server that is checked has a wildcard in its url.'],
  ])('refuses %s where no wildcard stands for it', async (host, file, words) => {
    const { code, stderr } = await examine({}, ['--at', host], { yaml: file })
    expect(code).toBe(2)
    expect(stderr).toContain(words)
  })
})

describe('public paths', () => {
  const openPaths = ['/notes/mcp/health', '/notes/mcp/assets/*']
  const yaml = `${USERS}resources: { notes: { url: '${SERVER}', public: [${openPaths}] } }\n`
  const withPaths = (paths: readonly string[]) =>
    buildTestApp(
      { resources: [resource({ openPaths: paths })] },
      { storage, clock: createClock(Date.now()) },
    )

  it('open without a login, beside an address that asks for one', async () => {
    gateway = await withPaths(openPaths)
    const { code, stdout } = await examine({ echoes: true }, [], { yaml })
    expect({ code, wrong: lines(stdout, 'WRONG') }).toEqual({ code: 0, wrong: [] })
    expect(lines(stdout, 'ok')).toEqual(
      expect.arrayContaining([
        'it asks for a login',
        '/notes/mcp/health opens without a login',
        '/notes/mcp/assets/* opens without a login',
      ]),
    )
  })

  it('that a running gateway does not know yet are said with the fix', async () => {
    const { code, stdout } = await examine({}, [], { yaml })
    expect(code).toBe(1)
    expect(lines(stdout, 'WRONG')).toEqual([
      '/notes/mcp/health opens without a login',
      '/notes/mcp/assets/* opens without a login',
    ])
    expect(flat(stdout)).toContain('restart Gatewarden after a change of public')
  })

  it.each<[string, () => Response, string]>([
    [
      'with a route of their own past Gatewarden let identities be invented',
      () => new Response('x-user-id: '),
      'Everybody can tell the server to be somebody.',
    ],
    [
      'of a server with a login of its own',
      () => new Response('', { status: 401 }),
      'The server itself, or another login, refuses people without a login.',
    ],
    [
      'of a server that is down',
      () => new Response('', { status: 502 }),
      'The server behind did not answer.',
    ],
  ])('%s', async (_name, answer, words) => {
    gateway = await withPaths(openPaths)
    const { code, stdout } = await examine(
      {
        async answers(url, sent) {
          if (!url.pathname.endsWith('/health') || url.protocol === 'http:') return undefined
          const { status } = answer()
          // A server that shows its headers shows those of the client.
          const shown = status === 200 ? (sent.get('x-user-id') ?? '') : ''
          return new Response((await answer().text()) + shown, { status })
        },
      },
      [],
      { yaml },
    )
    expect(code).toBe(1)
    expect(lines(stdout, 'WRONG')).toEqual(['/notes/mcp/health opens without a login'])
    expect(flat(stdout)).toContain(words)
  })

  it.each([
    [404, '?'],
    [405, 'ok'],
  ] as const)(
    'that takes POST alone answers GET with %i, which is no fault',
    async (status, label) => {
      gateway = await withPaths(openPaths)
      const { code, stdout } = await examine(
        {
          answers: async ({ pathname, protocol }) =>
            pathname.endsWith('/health') && protocol === 'https:'
              ? Response.json(
                  status === 405 ? { error: 'method_not_allowed', error_description: 'POST' } : {},
                  { status },
                )
              : undefined,
        },
        [],
        { yaml },
      )
      expect({ code, wrong: lines(stdout, 'WRONG') }).toEqual({ code: 0, wrong: [] })
      expect(lines(stdout, label)).toContain('/notes/mcp/health opens without a login')
      if (status === 404) expect(flat(stdout)).toContain('a path that takes POST alone')
    },
  )

  it('and a public url: the login is checked at another path of the server', async () => {
    const url = 'https://mcp.example.com'
    const resources = [resource({ url, openPaths: ['/'] })]
    gateway = await buildTestApp({ resources }, { storage, clock: createClock(Date.now()) })
    const { code, stdout } = await examine({ echoes: true }, [], {
      yaml: `${USERS}resources: { notes: { url: '${url}', public: [/] } }\n`,
    })
    expect({ code, wrong: lines(stdout, 'WRONG') }).toEqual({ code: 0, wrong: [] })
    expect(lines(stdout, 'ok')).toEqual(
      expect.arrayContaining(['it asks for a login', '/ opens without a login']),
    )
    expect(lines(stdout, '?')).toEqual(['a credential opens it'])
    expect(flat(stdout)).toContain('the url itself is public, so it opens without a credential')
  })
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
      exit: () => {},
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
  [['--at'], '--at has no value.'],
  [['--resource'], '--resource has no value.'],
])('refuses %j', async (args, words) => {
  const { code, stderr } = await examine({}, args)
  expect(code).toBe(2)
  expect(stderr).toContain(words)
})

/**
 * The twelve mistakes of a first hour, each made here as a person makes it; each test reads the words that this person
 * reads, on a terminal, in the log or on the page (first-hour fm1 to fm12).
 *
 * @module
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { awaitStore } from '../../src/cli/await-store.ts'
import { configCheck } from '../../src/cli/config-check.ts'
import { createDoctor } from '../../src/cli/doctor.ts'
import { keysList } from '../../src/cli/keys.ts'
import { start } from '../../src/cli/start.ts'
import { openLmdbStorage } from '../../src/storage/lmdb/lmdb.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { StorageUnavailable } from '../../src/storage/storage.ts'
import { textLine } from '../../src/telemetry/text-lines.ts'
import { BASE, USERS } from '../config/harness.ts'
import { createBrowser } from '../support/browser.ts'
import {
  buildTestApp,
  createClock,
  giveSigningKeys,
  SECRET,
  type TestApp,
} from '../support/build-app.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { createInternet } from '../support/internet.ts'
import { authorizeUrl, check, consentTo, obtainTokens, register } from '../support/oauth-client.ts'
import { signInThere, startJourney } from '../support/provider-journey.ts'
import { recordEvents } from '../support/recorded-events.ts'
import { typeIn } from '../support/steps.ts'
import { run } from './harness.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewarden-mistakes-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The lines of an event, as a terminal shows them. */
const shown = ({ logs }: Pick<TestApp, 'logs'>, event: string) =>
  logs
    .filter((line) => line.event === event)
    .map((line) => textLine(JSON.stringify(line), { colour: false }))
const settings = (more: Readonly<Record<string, string>> = {}) => ({
  env: { ...BASE, DATA_DIR: folder, LOG_LEVEL: 'silent', ...more },
  yaml: USERS,
})

it('fm1: a wrong TRUSTED_PROXIES: the log has the line to paste', async () => {
  const test = await buildTestApp({ trustedProxies: ['10.0.0.0/8'] })
  const answer = await check(test.app)
  expect(answer.statusCode).toBe(403)
  expect(answer.json().error_description).toBe('this peer is not a trusted proxy')
  expect(shown(test, 'peer-untrusted')).toEqual([
    expect.stringMatching(
      /warn {2}refused a forward-auth request from an untrusted peer: add its address to TRUSTED_PROXIES.* fix="?TRUSTED_PROXIES=10\.0\.0\.0\/8,127\.0\.0\.1/,
    ),
  ])
})

it('fm2: no discovery router: after three challenges the log names the path and the host to route', async () => {
  const test = await buildTestApp()
  for (let n = 0; n < 4; n += 1) {
    await check(test.app, { 'mcp-protocol-version': '2025-11-25' })
    test.clock.advance(6)
  }
  expect(shown(test, 'discovery-route-missing')).toEqual([
    expect.stringMatching(
      /route this path of this host to Gatewarden, without the login in front.* host=mcp\.example\.com path=\/\.well-known\/oauth-protected-resource\/notes\/mcp/,
    ),
  ])
})

it.each([
  ['fm3: a wrong path in url', 'mcp.example.com', 'mcp.example.com/mcp'],
  ['fm5: a port that url lacks', 'mcp.example.com:8443', 'mcp.example.com:8443/mcp'],
])(
  '%s: the log has what was asked and the nearest address; strangers learn of neither',
  async (_name, host, asked) => {
    const test = await buildTestApp()
    const answer = await check(test.app, { 'x-forwarded-host': host, 'x-forwarded-uri': '/mcp' })
    expect(answer.statusCode).toBe(403)
    expect(answer.body).not.toContain('notes')
    expect(shown(test, 'address-unknown')).toEqual([
      expect.stringMatching(
        new RegExp(`asked=${asked} .*nearest=https://mcp.example.com/notes/mcp`),
      ),
    ])
  },
)

it.each([
  ['in the file', 'https://mcp.example.com/notes/mcp/', '/notes/mcp'],
  ['at the client', 'https://mcp.example.com/notes/mcp', '/notes/mcp/'],
])('fm4: a trailing slash %s works', async (_where, url, path) => {
  const yaml = `${USERS}resources: { notes: { url: "${url}" } }\n`
  const { PUBLIC_URL, ALLOWED_EMAILS } = BASE
  const checked = await run(configCheck, { env: { PUBLIC_URL, ALLOWED_EMAILS }, yaml })
  expect(checked).toMatchObject({ code: 0, stderr: '' })
  const test = await buildTestApp()
  const { tokens } = await obtainTokens(test.app)
  const answer = await check(test.app, {
    'x-forwarded-uri': path,
    authorization: `Bearer ${tokens.access_token}`,
  })
  expect(answer.statusCode).toBe(200)
})

it('fm6: no authResponseHeaders: one command says what reaches the server, and what to add', async () => {
  const storage = await openLmdbStorage({ dir: join(folder, 'store'), now: Date.now })
  await giveSigningKeys(storage)
  const gateway = await buildTestApp({}, { storage, clock: createClock(Date.now()) })
  const { fetch } = createInternet(gateway, { copiesNothing: true, echoes: true })
  const { code, stdout } = await run(
    createDoctor({ fetch, second: async () => {}, exit: () => {} }),
    {
      env: { PUBLIC_URL: BASE.PUBLIC_URL, ALLOWED_EMAILS: '*', DATA_DIR: folder, SECRET },
      yaml: `${USERS}resources: { notes: { url: "https://mcp.example.com/notes/mcp" } }\n`,
    },
  )
  await storage.close()
  expect(code).toBe(1)
  const said = stdout.replaceAll(/\s+/g, ' ')
  expect(said).toContain('the credential of the client reached the server')
  expect(said).toContain('X-Forwarded-User, X_Forwarded_User')
  expect(said).toContain('each name of authResponseHeaders in Traefik, protect.conf in nginx')
})

describe('fm7: https in the configuration, http in front', () => {
  it('is one warning, which names both', async () => {
    const test = await buildTestApp()
    for (let n = 0; n < 3; n += 1) await check(test.app, { 'x-forwarded-proto': 'http' })
    expect(shown(test, 'scheme-mismatch')).toEqual([
      expect.stringMatching(
        /make both the same, or let the proxy in front pass X-Forwarded-Proto on.* url=https:\/\/mcp\.example\.com\/notes\/mcp forwardedScheme=http\n/,
      ),
    ])
  })

  it('is a warning of config check, where the file itself has both', async () => {
    const { code, stderr } = await run(
      configCheck,
      settings({ RESOURCES: 'http://mcp.example.com/mcp' }),
    )
    expect(code).toBe(0)
    expect(stderr).toMatch(/^warning: RESOURCES: http:\/\/mcp\.example\.com\/mcp .*https/)
  })
})

it('fm8: a wrong client secret: the log names the setting, the page only a number', async () => {
  const provider = await startHostileProvider()
  const config = { ...provider.config, clientSecret: 'the-secret-of-another-client' }
  const journey = await startJourney({ provider: config }, provider)
  const page = await signInThere(journey, { trusted: false })
  const [line = ''] = shown(journey, 'provider-failed')
  expect(line).toContain('invalid_client')
  const [, number = ''] = /requestId=([\w-]+)/.exec(line) ?? []
  expect(page.body).toContain(number)
  expect(page.body).not.toContain('invalid_client')
})

it('fm9: a person on no list: the page names the server, the log the person, the client and the list', async () => {
  const test = await buildTestApp()
  const browser = createBrowser(test.app)
  const client = await register(test.app)
  const page = await typeIn(browser, await consentTo(browser, authorizeUrl(client)), {
    name: 'bob',
  })
  expect(page.body).toContain('Team notes')
  expect(shown(test, 'person-refused')).toEqual([
    expect.stringMatching(
      /user=bob@elsewhere\.test .*client="?Test client.*resource=notes.*allowed="?domains example\.com/,
    ),
  ])
})

describe('fm10: a start that cannot be', () => {
  it('the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address ? String(address.port) : ''
    const ran = await run(start, settings({ HOST: '127.0.0.1', PORT: port }))
    other.close()
    expect(ran).toMatchObject({
      code: 2,
      stderr: `PORT: cannot listen on 127.0.0.1:${port} (EADDRINUSE). Stop the program that uses it, or choose another port.\n`,
    })
  })

  it('the SECRET is another one than before', async () => {
    expect((await run(keysList, settings({ SECRET }))).code).toBe(0)
    const ran = await run(start, settings({ SECRET: SECRET.toUpperCase(), PORT: '0' }))
    expect(ran).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^SECRET: .* Put the old secret into SECRET_PREVIOUS\.\n$/),
    })
  })

  it('DATA_DIR cannot be used', async () => {
    writeFileSync(join(folder, 'file'), '')
    const ran = await run(start, settings({ DATA_DIR: join(folder, 'file', 'data') }))
    expect(ran).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^DATA_DIR: .*file\/data cannot be used \(ENOTDIR\)\. Name a directory/,
      ),
    })
  })
})

it('fm11: clocks that differ: the log says by how much the token has expired', async () => {
  const test = await buildTestApp()
  const { tokens } = await obtainTokens(test.app)
  test.clock.advance(2 * 3600)
  expect(
    (await check(test.app, { authorization: `Bearer ${tokens.access_token}` })).statusCode,
  ).toBe(401)
  expect(shown(test, 'token-refused')).toEqual([
    expect.stringMatching(/reason="the token has expired".*expiredSeconds=3600/),
  ])
})

describe('fm12: Redis', () => {
  it('is down at the start: alive, not ready, and a warning with the error', async () => {
    const events = recordEvents()
    let isThere = false
    const storage = {
      ...createMemoryStorage({ now: Date.now }),
      contact: async () => {
        if (!isThere) throw new StorageUnavailable(new Error('connect ECONNREFUSED redis:6379'))
        return []
      },
    }
    const port = 20_000 + Math.floor(Math.random() * 20_000)
    const waiting = awaitStore(storage, { listen: { host: '127.0.0.1', port }, events })
    const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status
    await vi.waitFor(async () => expect(await status('/readyz')).toBe(503), 5000)
    expect(await status('/healthz')).toBe(200)
    expect(events.emitted).toMatchObject([
      { event: 'store-lost', cause: 'connect ECONNREFUSED redis:6379' },
    ])
    isThere = true
    await waiting
    expect(events.emitted.at(-1)).toMatchObject({ event: 'store-back' })
  })

  it('without SECRET: exit 2, and the command that makes one', async () => {
    const ran = await run(start, settings({ REDIS_URL: 'redis://localhost:6379' }))
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringMatching(/SECRET: .*openssl rand/) })
  })
})

it('also: gatewarden.yml in place of .yaml: the first line names the file that lies there', async () => {
  const { code, stderr } = await run(configCheck, {
    env: {},
    listing: ['gatewarden.yml', 'README.md'],
  })
  expect(code).toBe(2)
  expect(stderr.split('\n')[0]).toMatch(/no file was read.*gatewarden\.yml/)
})

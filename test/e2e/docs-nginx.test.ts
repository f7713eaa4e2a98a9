/**
 * The promises of docs/proxies/nginx.md: its scripts, unchanged, run against the shipped nginx files and against the
 * page's own site, and print the output on the page.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blockOf, readPage } from '../support/documentation.ts'
import { createBrowser } from './support/browser.ts'
import { runDoctor } from './support/doctor.ts'
import { type DocumentedNginx, startDocumentedNginx } from './support/documented-nginx.ts'
import { callWith, signInByHand } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { runBash } from './support/shell.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

const PAGE = readPage('docs/proxies/nginx.md')
const EXPECTED = blockOf(PAGE, 'output: self-test')
const WITHOUT_ECHO = blockOf(PAGE, 'output: self-test without an echo')
/** The page with the script for a token, to which the nginx page links. */
const GET_TOKEN = blockOf(readPage('docs/proxies/traefik.md'), 'script: get-token')

/** Answers with the headers it got, each on its own line, as `traefik/whoami` does. */
const startEcho = () =>
  startRecordingServer(({ rawHeaders }, answer) => {
    const lines = rawHeaders.map((text, index) => text + (index % 2 === 0 ? ': ' : '\n'))
    answer.end(lines.join(''))
  })

async function selfTest(url: string, token: string, folder: string): Promise<string> {
  const { output, errors } = await runBash(blockOf(PAGE, 'script: self-test'), {
    environment: { URL: url, TOKEN: token },
    folder,
  })
  expect(errors).toBe('')
  return output
}

const signIn = async ({ publicUrl: issuer, mcpUrl: resource, ann: person }: World) =>
  (await signInByHand({ issuer, resource, person })).tokens.access_token

describe.skipIf(isSkipped('nginx'))('the self-test of the nginx page', () => {
  let echo: RecordingServer
  let world: World

  beforeAll(async () => {
    echo = await startEcho()
    world = await startWorld({ front: 'nginx', twoHosts: true, upstream: echo.address })
  })
  afterAll(async () => {
    await world?.stop()
    await echo?.close()
  })

  it('prints what the page says, with the token of the script that it names', async () => {
    const { mcpUrl, ann, folder } = world
    const { output: token } = await runBash(`${GET_TOKEN}\nprintf %s "$TOKEN"`, {
      environment: { URL: mcpUrl },
      folder,
      answer({ errors: shown }) {
        const address = /^(http\S+)\nThen paste/m.exec(shown)?.[1]
        if (address === undefined) return undefined
        const landing = createBrowser().signIn(new URL(address), { ...ann, deliver: false })
        return landing.then((callback) => callback.href)
      },
    })
    expect(await selfTest(mcpUrl, token, folder)).toBe(EXPECTED)
  })

  it('says so when the token is none', async () => {
    const output = await selfTest(world.mcpUrl, 'expired', world.folder)
    expect(output).toContain('WRONG the token opens the server: refused (401), not open\n')
  })

  it('passes on one host, too, and skips what only an echo can show', async () => {
    const sample = await startWorld({ front: 'nginx' })
    try {
      const [start = ''] = EXPECTED.split('-- what reaches the server behind')
      const output = await selfTest(sample.mcpUrl, await signIn(sample), sample.folder)
      expect(output).toBe(start + WITHOUT_ECHO)
    } finally {
      await sample.stop()
    }
  })
})

describe.skipIf(isSkipped('nginx'))('the site of the nginx page', () => {
  let echo: RecordingServer
  let documented: DocumentedNginx

  beforeAll(async () => {
    echo = await startEcho()
    documented = await startDocumentedNginx({
      gatewarden: blockOf(PAGE, 'example: gatewarden.yaml'),
      site: blockOf(PAGE, 'example: site.conf'),
      upstream: echo.address,
    })
  })
  afterAll(async () => {
    await documented?.stop()
    await echo?.close()
  })

  it('fh20: passes gatewarden doctor', async () => {
    const found = await runDoctor(documented.folder, '--resource notes')
    expect(found).toMatchObject({ exitCode: 0, wrong: [], unchecked: [] })
    expect(found.ok).toHaveLength(9)
  })

  it('passes the self-test, and keeps a token to the server it is for', async () => {
    const { issuer, notes, wiki, ann, folder } = documented
    const { tokens } = await signInByHand({ issuer, resource: notes, person: ann })
    expect(await selfTest(notes, tokens.access_token, folder)).toBe(EXPECTED)
    const before = echo.requests.length
    expect((await callWith(tokens.access_token, wiki)).status).toBe(401)
    expect(echo.requests.length).toBe(before)
  })

  it('fh1: asks about the path of the client, and maps it for a server at /mcp', async () => {
    const { issuer, notes, wiki, ann } = documented
    for (const resource of [notes, wiki]) {
      const { tokens } = await signInByHand({ issuer, resource, person: ann })
      for (const rest of ['', '/', '/a%20b/%61?x=%2F..%2F&y', '?z']) {
        expect((await callWith(tokens.access_token, resource + rest)).status).toBe(200)
        expect(echo.requests.at(-1)?.url).toBe(`/mcp${rest.replace('%61', 'a')}`)
      }
      // The login's own addresses of the server are mapped by nobody.
      expect((await exchange(new URL(`${resource}-private`))).status).toBe(404)
    }
  })

  it('lets a web page on this machine ask before it has a token', async () => {
    const { status, headers } = await exchange(new URL(documented.notes), {
      method: 'OPTIONS',
      headers: { origin: 'http://localhost:6274', 'access-control-request-method': 'POST' },
    })
    expect(status).toBe(204)
    expect(headers['access-control-allow-origin']).toBe('http://localhost:6274')
  })
})

describe.skipIf(isSkipped('nginx'))('an nginx as tutorials have it', () => {
  it('fm6: is found out by the self-test and by the doctor', async () => {
    const echo = await startEcho()
    const careless = await startWorld({
      front: 'nginx',
      twoHosts: true,
      upstream: echo.address,
      changeNginx: (text, name) =>
        /\/(server|question)\.conf$/.test(name)
          ? text
              .replace('underscores_in_headers off;', 'underscores_in_headers on;')
              .replace('return 400;', 'set $ignored 1;')
              .replace(
                '$scheme://$gatewarden_host$request_uri',
                '$scheme://$host:$server_port$request_uri',
              )
              .replace('return 302', 'return 401; #')
          : text
              .replace('error_page 403', '# ')
              .replace(/^location ~ \^\/\(auth\|[^}]*\}/m, '')
              .replace('proxy_set_header Authorization', '# ')
              .replace('proxy_set_header X-User-Id', '# ')
              .replace('$gatewarden_upgrade;', '$http_upgrade;')
              .replace('$gatewarden_connection;', 'upgrade;')
              .replace(
                'proxy_set_header Host $gatewarden_host',
                'proxy_set_header Host $http_host',
              ),
    })
    try {
      const output = await selfTest(careless.mcpUrl, await signIn(careless), careless.folder)
      const wrong = output.split('\n').filter((line) => line.startsWith('WRONG'))
      expect(wrong.map((line) => line.replace(/^WRONG |: \d+, not .*$/g, ''))).toEqual([
        'a browser that opens it is sent to the login',
        // nginx itself refuses %00.
        ...['%2f', '%5C', '%25', '%3b', '%3f', '%23'].map((code) => `${code} in the path`),
        ...[
          '/auth',
          '/auth/nginx',
          '/auth/nginx/r/x',
          '/verify',
          '/authenticate',
          '/healthz',
          '/readyz',
        ].map((path) => `${path} from outside`),
        'a Host that is not the one of the request line',
        'no identity of the client, in any spelling',
        'no token',
        'the identity of the token',
        'the identity, though Connection names it',
        'no way into another protocol',
      ])
      const found = await runDoctor(careless.folder)
      expect(found.wrong).toEqual([
        'the addresses for the proxy are closed to others',
        'no client can invent an identity',
        'no credential of a client reaches it',
        'it learns from Gatewarden who calls',
      ])
      expect(found.exitCode).toBe(1)
    } finally {
      await careless.stop()
      await echo.close()
    }
  })
})

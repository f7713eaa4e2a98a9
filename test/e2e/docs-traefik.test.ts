/**
 * The promises of docs/proxies/traefik.md: its scripts, unchanged, run against the shipped Traefik files and against
 * the page's own, and print the output on the page.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { blockOf, readPage } from '../support/documentation.ts'
import { type Credentials, createBrowser } from './support/browser.ts'
import { runDoctor } from './support/doctor.ts'
import { type DocumentedTraefik, startDocumentedTraefik } from './support/documented-traefik.ts'
import { callWith, signInByHand } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { runBash } from './support/shell.ts'
import { isSkipped, toolPath } from './support/tools.ts'
import { configurationOf } from './support/traefik-labels.ts'
import { startWorld, type World } from './support/world.ts'

const PAGE = readPage('docs/proxies/traefik.md')
const EXPECTED = blockOf(PAGE, 'output: self-test')
const WITHOUT_ECHO = blockOf(PAGE, 'output: self-test without an echo')

/** Answers with the headers it got, each on its own line, as `traefik/whoami` does. */
const startEcho = () =>
  startRecordingServer(({ rawHeaders }, answer) => {
    const lines = rawHeaders.map((text, index) => text + (index % 2 === 0 ? ': ' : '\n'))
    answer.end(lines.join(''))
  })

async function selfTest(url: string, token: string, folder: string): Promise<string> {
  const environment = { URL: url, TOKEN: token }
  const { output, errors } = await runBash(blockOf(PAGE, 'script: self-test'), {
    environment,
    folder,
  })
  expect(errors).toBe('')
  return output
}

/** The token that the page's first script gets for a person with a browser. */
async function getToken(url: string, person: Credentials, folder: string): Promise<string> {
  const script = `${blockOf(PAGE, 'script: get-token')}\nprintf %s "$TOKEN"`
  const { output, errors } = await runBash(script, {
    environment: { URL: url },
    folder,
    answer({ errors: shown }) {
      const address = /^(http\S+)\nThen paste/m.exec(shown)?.[1]
      if (address === undefined) return undefined
      const landing = createBrowser().signIn(new URL(address), { ...person, deliver: false })
      return landing.then((callback) => callback.href)
    },
  })
  expect(errors).toMatch(/^Open this address/)
  return output
}

const signIn = async (world: World): Promise<string> => {
  const { publicUrl: issuer, mcpUrl: resource, ann: person } = world
  return (await signInByHand({ issuer, resource, person })).tokens.access_token
}

describe.skipIf(isSkipped('traefik'))('the self-test of the Traefik page', () => {
  let echo: RecordingServer
  let world: World

  beforeAll(async () => {
    echo = await startEcho()
    world = await startWorld({ front: 'traefik', twoHosts: true, upstream: echo.address })
  })
  afterAll(async () => {
    await world?.stop()
    await echo?.close()
  })

  it('prints what the page says, with the shipped files and the token of its first script', async () => {
    const token = await getToken(world.mcpUrl, world.ann, world.folder)
    expect(await selfTest(world.mcpUrl, token, world.folder)).toBe(EXPECTED)
  })

  it('says so when the token is none', async () => {
    const output = await selfTest(world.mcpUrl, 'expired', world.folder)
    expect(output).toContain('WRONG the token opens the server: refused (401), not open\n')
  })

  it('skips what only an echo can show, with an MCP server behind', async () => {
    const sample = await startWorld({ front: 'traefik' })
    try {
      const [start = ''] = EXPECTED.split('-- what reaches the server behind')
      const output = await selfTest(sample.mcpUrl, await signIn(sample), sample.folder)
      expect(output).toBe(start + WITHOUT_ECHO)
    } finally {
      await sample.stop()
    }
  })

  it('is not content with a server that no Traefik stands in front of', async () => {
    const open = `http://${echo.address}/mcp`
    const output = await selfTest(open, 'expired', world.folder)
    expect(output).toContain('WRONG the server asks for a login: 200, not 401\n')
    expect(output).toContain('WRONG no identity of the client, in any spelling')
    expect(output).toContain('WRONG no token')
    expect(output).not.toMatch(/^0 wrong$/m)
  })
})

const GATEWARDEN = blockOf(PAGE, 'example: gatewarden.yaml')
const DYNAMIC = blockOf(PAGE, 'example: dynamic.yml')
const Compose = z.object({
  services: z.record(z.string(), z.object({ labels: z.array(z.string()) })),
})

/** The page's labels as a dynamic file. */
function fromLabels(): string {
  const { services } = Compose.parse(parse(blockOf(PAGE, 'example: labels')))
  const labels = Object.values(services).flatMap((service) => service.labels)
  return stringify(configurationOf(labels, (service, port) => `http://${service}:${port}`))
}

/** Adds settings for forwarded headers to the entry points of a static file. */
const trusting = (forwardedHeaders: string) => (text: string) =>
  text.replace(/^( +)address: .*$/gm, `$&\n$1forwardedHeaders: ${forwardedHeaders}`)

describe.skipIf(isSkipped('traefik')).each([
  { example: 'dynamic file', dynamic: DYNAMIC, elsewhere: 401 },
  // They have no router for the second server.
  { example: 'labels', dynamic: fromLabels(), elsewhere: 404 },
])('the $example of the Traefik page', ({ dynamic, elsewhere }) => {
  let echo: RecordingServer
  let documented: DocumentedTraefik

  beforeAll(async () => {
    echo = await startEcho()
    documented = await startDocumentedTraefik({
      gatewarden: GATEWARDEN,
      dynamic,
      upstream: echo.address,
    })
  })
  afterAll(async () => {
    await documented?.stop()
    await echo?.close()
  })

  it('passes the self-test', async () => {
    const { notes, ann, folder } = documented
    expect(await selfTest(notes, await getToken(notes, ann, folder), folder)).toBe(EXPECTED)
  })

  it('fh20: passes gatewarden doctor', async () => {
    const found = await runDoctor(documented.folder, '--resource notes')
    expect(found).toMatchObject({ exitCode: 0, wrong: [], unchecked: [] })
    expect(found.ok).toHaveLength(9)
  })

  it('lets a web page on this machine ask before it has a token', async () => {
    const { status, headers } = await exchange(new URL(documented.notes), {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:6274',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    })
    expect(status).toBe(200)
    expect(headers['access-control-allow-origin']).toBe('http://localhost:6274')
    expect(headers['access-control-allow-headers']).toContain('Authorization')
  })

  it('keeps a token to the server it is for', async () => {
    const { issuer, notes, wiki, ann } = documented
    const { tokens } = await signInByHand({ issuer, resource: notes, person: ann })
    expect((await callWith(tokens.access_token, notes)).status).toBe(200)
    const before = echo.requests.length
    expect((await callWith(tokens.access_token, wiki)).status).toBe(elsewhere)
    expect(echo.requests.length).toBe(before)
  })

  it('fh1: asks about the path of the client, and maps it for a server at /mcp', async () => {
    const { issuer, notes, ann } = documented
    const { tokens } = await signInByHand({ issuer, resource: notes, person: ann })
    for (const rest of ['', '/', '/a%20b/%61?x=%2F..%2F&y', '?z']) {
      expect((await callWith(tokens.access_token, notes + rest)).status).toBe(200)
      expect(echo.requests.at(-1)?.url).toBe(`/mcp${rest.replace('%61', 'a')}`)
    }
    expect((await exchange(new URL(`${notes}-private`))).status).toBe(404)
  })
})

describe.skipIf(isSkipped('traefik'))('a Traefik that trusts a load balancer in front', () => {
  it('passes the self-test with the forwarded headers of everybody untrusted at the middleware', async () => {
    const echo = await startEcho()
    const behind = await startDocumentedTraefik({
      gatewarden: GATEWARDEN,
      dynamic: DYNAMIC,
      changeStatic: trusting('{ trustedIPs: [127.0.0.1/32, "::1/128"] }'),
      upstream: echo.address,
    })
    try {
      const { notes, ann, folder } = behind
      expect(await selfTest(notes, await getToken(notes, ann, folder), folder)).toBe(EXPECTED)
    } finally {
      await behind.stop()
      await echo.close()
    }
  })
})

describe.each([
  { release: 'this one', tool: 'traefik' },
  { release: '3.4.1', tool: 'older-traefik' },
] as const)(
  'sp4: the files of the Traefik page for an older Traefik, with $release',
  ({ tool }) => {
    it.skipIf(isSkipped(tool))(
      'at8, T42: let no identity of the client through, and leave encoded separators to Gatewarden',
      async () => {
        const echo = await startEcho()
        const older = await startDocumentedTraefik({
          gatewarden: GATEWARDEN,
          dynamic: DYNAMIC.replace(/ +maxResponseBodySize: .*\n/g, ''),
          files: 'traefik/older',
          binary: toolPath(tool),
          upstream: echo.address,
        })
        try {
          const { notes, ann, folder } = older
          const output = await selfTest(notes, await getToken(notes, ann, folder), folder)
          const wrong = output.split('\n').filter((line) => line.startsWith('WRONG'))
          expect(wrong).toEqual([
            ...['%2f', '%5C', '%00'].map((code) => `WRONG ${code} in the path: 403, not 400`),
            'WRONG %25 in the path: 401, not 400',
            ...['%3b', '%3f', '%23'].map((code) => `WRONG ${code} in the path: 403, not 400`),
          ])
        } finally {
          await older.stop()
          await echo.close()
        }
      },
    )
  },
)

describe.skipIf(isSkipped('traefik'))('a Traefik without what the page asks for', () => {
  it('fm6: is found out by the self-test and by the doctor', async () => {
    const echo = await startEcho()
    const careless = await startDocumentedTraefik({
      gatewarden: GATEWARDEN,
      dynamic: DYNAMIC.replace('          - Authorization\n', '')
        .replace('          - X-User-Id\n', '')
        .replace(/ +authResponseHeadersRegex: .*\n/g, '')
        .replace('trustForwardHeader: false', 'trustForwardHeader: true')
        .replace(/ && \(Path\(`\/auth\/connect`\).*!PathRegexp\(`[^`]*`\)\)/, ''),
      changeStatic: (text) =>
        trusting('{ insecure: true }')(text)
          .replace('aliasHeadersStrategy: delete', '')
          .replace(/encodedCharacters:(\n +allow.*)+/, ''),
      upstream: echo.address,
    })
    try {
      const { notes, ann, folder } = careless
      const output = await selfTest(notes, await getToken(notes, ann, folder), folder)
      const wrong = output.split('\n').filter((line) => line.startsWith('WRONG'))
      expect(wrong.map((line) => line.replace(/^WRONG |: \d+, not .*$/g, ''))).toEqual([
        'headers that claim another path',
        ...['%2f', '%5C', '%00', '%25', '%3b', '%3f', '%23'].map((code) => `${code} in the path`),
        ...[
          '/auth',
          '/auth/traefik',
          '/auth/traefik/r/x',
          '/verify',
          '/authenticate',
          '/healthz',
          '/readyz',
        ].map((path) => `${path} from outside`),
        'headers that claim another server',
        'no identity of the client, in any spelling',
        'no token',
        'the identity of the token',
        'the identity, though Connection names it',
      ])
      const found = await runDoctor(folder, '--resource notes')
      expect(found.wrong).toEqual([
        'the addresses for the proxy are closed to others',
        'headers of a client open nothing',
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

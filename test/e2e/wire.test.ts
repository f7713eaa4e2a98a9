/**
 * Bad input, byte by byte, against the built program: the right refusal, never a 500, never a hang, nothing stored.
 *
 * @module
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, METHODS, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningGatewarden, startGatewarden } from '../../scripts/lib/gatewarden.ts'
import { freePort } from '../../scripts/lib/ports.ts'
import { openStorage } from '../../src/storage/index.ts'
import { buildTestApp } from '../support/build-app.ts'
import { type HandClient, registerClient } from './support/hand-client.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'

/** Every address of the program, and the methods it has. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  '/.well-known/oauth-authorization-server': ['GET', 'HEAD', 'OPTIONS'],
  '/.well-known/openid-configuration': ['GET', 'HEAD', 'OPTIONS'],
  '/.well-known/oauth-protected-resource/mcp': ['GET', 'HEAD', 'OPTIONS'],
  '/jwks': ['GET', 'HEAD', 'OPTIONS'],
  '/register': ['POST', 'OPTIONS'],
  '/token': ['POST', 'OPTIONS'],
  '/register/client': ['GET', 'HEAD', 'DELETE', 'PUT', 'OPTIONS'],
  '/revoke': ['POST', 'OPTIONS'],
  '/introspect': ['POST', 'OPTIONS'],
  '/authorize': ['GET', 'HEAD'],
  '/authorize/consent': ['POST'],
  '/authorize/login': ['GET', 'HEAD', 'POST'],
  '/consent': ['POST'],
  '/login': ['GET', 'HEAD', 'POST'],
  '/device_authorization': ['POST', 'OPTIONS'],
  '/device': ['GET', 'HEAD', 'POST'],
  '/device/allowed': ['GET', 'HEAD'],
  '/device/denied': ['GET', 'HEAD'],
}
const FORM = 'application/x-www-form-urlencoded'
/** The addresses that accept a body, and its type. */
const BODIES: Readonly<Record<string, string>> = {
  '/register': 'application/json',
  '/token': FORM,
  '/revoke': FORM,
  '/introspect': FORM,
  '/authorize/consent': FORM,
  '/authorize/login': FORM,
  '/device_authorization': FORM,
  '/device': FORM,
  '/consent': FORM,
  '/login': FORM,
}
/** The time limit for an answer; a later one counts as a hang. */
const PATIENCE_MS = 5_000

let folder: string
let app: RecordingServer
let gatewarden: RunningGatewarden
let host: string
let client: HandClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wire-'))
  app = await startRecordingServer((_request, response) => response.end('app'))
  const port = await freePort()
  host = `localhost:${port}`
  gatewarden = await startGatewarden({
    folder,
    listen: { host: '127.0.0.1', port },
    file: {
      public_url: `http://${host}`,
      resources: { sample: { url: `http://${host}/mcp`, upstream: `http://${app.address}/mcp` } },
      allow: { emails: ['*'] },
      users: { ann: { email: 'ann@example.com', password_hash: await hash('never typed here') } },
    },
  })
  client = await registerClient({ issuer: `http://${host}`, resource: `http://${host}/mcp` })
})
afterAll(async () => {
  await gatewarden?.stop()
  await app?.close()
  if (folder) await rm(folder, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/**
 * Sends bytes and reads until the other side closes.
 * @throws Error if the server neither answers nor closes in time
 */
async function send(...parts: (string | Buffer)[]): Promise<Answer> {
  const [address = '', port] = gatewarden.address.split(':')
  const socket = connect({ host: address, port: Number(port) })
  let received = ''
  socket.setEncoding('latin1').on('data', (data) => {
    received += String(data)
  })
  // The rest of the bytes, sent after the refusal, may find the connection closed.
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.on('close', resolve))
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS)
  for (const part of parts) socket.write(part, 'latin1')
  await closed
  clearTimeout(timer)
  const status = /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1]
  if (!status) throw new Error(`no answer in time to ${String(parts[0]).slice(0, 100)}`)
  const [head = '', ...body] = received.split('\r\n\r\n')
  return { status: Number(status), head: head.toLowerCase(), body: body.join('\r\n\r\n') }
}

/** A complete request that closes its connection. */
function ask(method: string, target: string, headers: readonly string[] = [], body = '') {
  const length = body === '' ? [] : [`Content-Length: ${body.length}`]
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...headers, ...length]
  return send(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`)
}

const isRefusal = (status: number) => status >= 400 && status < 500

describe('a wrong method', () => {
  it.each(Object.entries(PATHS))(
    'at %s is answered with 405 and the right ones',
    async (path, own) => {
      for (const method of METHODS) {
        // CONNECT never reaches a path; the other methods that Node parses do.
        if (method === 'CONNECT' || own.includes(method)) continue
        const { status, head } = await ask(method, path)
        expect(`${method} ${status}`).toBe(`${method} 405`)
        for (const allowed of own.filter((each) => each !== 'HEAD')) {
          expect(head).toMatch(new RegExp(`^allow: .*\\b${allowed}\\b`, 'im'))
        }
      }
    },
  )

  it.each(['/healthz', '/readyz', '/callback', '/account'])(
    'at %s is no server error',
    async (path) => {
      for (const method of METHODS) {
        if (method === 'CONNECT') continue
        const { status } = await ask(method, path)
        expect(status === 200 || isRefusal(status), `${method} ${status}`).toBe(true)
      }
    },
  )

  it.each(['/auth', '/auth/traefik', '/auth/traefik/r/sample', '/mcp'])(
    'does not exist at %s: every one is judged',
    async (path) => {
      for (const method of METHODS) {
        if (method === 'CONNECT') continue
        const { status } = await ask(method, path, [
          'X-Forwarded-Method: GET',
          `X-Forwarded-Host: ${host}`,
          'X-Forwarded-Uri: /mcp',
          // A QUERY without a content type is malformed (RFC 10008 section 2).
          'Content-Type: application/json',
        ])
        // T8: a server answers TRACE with the request as it arrived, and pass-through adds secrets to it.
        const isTraced = path === '/mcp' && method === 'TRACE'
        expect(`${method} ${status}`).toBe(`${method} ${isTraced ? 405 : 401}`)
      }
    },
  )

  it('that HTTP does not know, or CONNECT, is refused', async () => {
    expect((await ask('BREW', '/token')).status).toBe(400)
    expect((await ask('get', '/jwks')).status).toBe(400)
    await expect(ask('CONNECT', host)).rejects.toThrow('no answer')
  })
})

describe('headers', () => {
  it.each([...Object.keys(PATHS), '/auth/traefik', '/mcp'])(
    'over 64 kB are refused at %s',
    async (path) => {
      const { status } = await ask('GET', path, [`X-Filler: ${'a'.repeat(66_000)}`])
      expect(status).toBe(431)
    },
  )

  it('of 20 kB of cookies are not', async () => {
    const cookie = `Cookie: ${Array.from({ length: 20 }, (_, i) => `c${i}=${'x'.repeat(1000)}`).join('; ')}`
    expect(
      (
        await ask('GET', client.authorizationUrl().pathname + client.authorizationUrl().search, [
          cookie,
        ])
      ).status,
    ).toBe(200)
    expect((await ask('GET', '/mcp', [cookie])).status).toBe(401)
  })

  it.each([
    ['a control byte', 'X-Odd: a\u0001b'],
    ['a NUL byte', 'X-Odd: a\u0000b'],
    ['a bare CR', 'X-Odd: a\rb'],
    ['a space in a name', 'X Odd: a'],
    ['a folded line', 'X-Odd: a\r\n b'],
    ['a second Host', 'Host: elsewhere.test'],
    ['two lengths', 'Content-Length: 1\r\nContent-Length: 2'],
    ['a negative length', 'Content-Length: -1'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
    ['an unknown framing', 'Transfer-Encoding: banana'],
  ])('with %s are refused', async (_what, line) => {
    for (const path of ['/token', '/mcp', '/auth/traefik']) {
      const { status } = await ask('POST', path, [line])
      expect(isRefusal(status), `${path} ${status}`).toBe(true)
    }
    expect(app.requests.length).toBe(0)
  })

  it.each(['', 'a b', 'a/b', '[::1', 'a,b', 'user@host', 'x'.repeat(300)])(
    'with the host "%s" are no server error',
    async (odd) => {
      for (const path of ['/mcp', '/authorize', '/.well-known/oauth-protected-resource', '/jwks']) {
        const { status } = await send(
          `GET ${path} HTTP/1.1\r\nHost: ${odd}\r\nConnection: close\r\n\r\n`,
        )
        expect(status, path).toBeLessThan(500)
      }
    },
  )

  it('without a host are refused', async () => {
    expect((await send('GET /mcp HTTP/1.1\r\nConnection: close\r\n\r\n')).status).toBe(400)
  })

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer \u00ff\u00fe',
    'Basic %%%',
    `Bearer ${'a'.repeat(20_000)}`,
  ])('with the credential $0 are refused', async (credential) => {
    for (const path of ['/mcp', '/token']) {
      const type = path === '/token' ? [`Content-Type: ${FORM}`] : []
      const { status } = await ask(
        'POST',
        path,
        [`Authorization: ${credential}`, ...type],
        'grant_type=x',
      )
      expect([400, 401], `${path} ${status}`).toContain(status)
    }
  })
})

describe('a target', () => {
  it.each([
    '/authorize?client_id=%ff',
    '/authorize?client_id=%c3%28',
    '/authorize?client_id=%',
    '/authorize?client_id=%zz',
    '/authorize?client_id=a%00b',
    '/authorize?client_id=a%0d%0ab',
    '/authorize?client_id=a&client_id=b',
    '/authorize?\u00ff\u00fe=1',
    '/login?interaction=%ff',
    '/login?interaction=a&interaction=b',
    '/login',
    '/%ff',
    '/%',
    '/\u00ff',
    '/.well-known/oauth-protected-resource/%ff',
    '/.well-known/oauth-protected-resource/%2e%2e/mcp',
    '/auth/traefik/r/%ff',
    `/${'a'.repeat(20_000)}`,
    '//',
    'http://elsewhere.test/authorize',
    '*',
  ])('of $0 is refused', async (target) => {
    const { status, body } = await ask('GET', target)
    expect(isRefusal(status), `${status} ${body.slice(0, 200)}`).toBe(true)
  })

  it.each(['/mcp/%2e%2e/admin', '/mcp/..%2fadmin', '/mcp/%00', '/mcp/../x'])(
    'of %s is too ambiguous to be passed on',
    async (target) => {
      expect([403, 404]).toContain((await ask('GET', target)).status)
      expect(app.requests.length).toBe(0)
    },
  )

  // However a server reads them, they stay within this resource, which has no rival here.
  it.each(['/mcp//x', '/mcp/a;b', '/mcp/%5c'])(
    'of %s needs a token like its resource',
    async (target) => {
      expect((await ask('GET', target)).status).toBe(401)
      expect(app.requests.length).toBe(0)
    },
  )

  it('with a control byte is refused', async () => {
    for (const byte of ['\u0000', '\u0001', '\u007f', '\t']) {
      expect((await ask('GET', `/authorize?a=${byte}`)).status).toBe(400)
    }
  })
})

describe.each(Object.entries(BODIES))('a body for %s', (path, type) => {
  const post = (body: string, contentType = type) =>
    ask('POST', path, [`Content-Type: ${contentType}`], body)

  it('of another type is refused', async () => {
    for (const other of [
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/xml',
      'nonsense',
      type === FORM ? 'application/json' : FORM,
    ]) {
      expect((await post('a=1', other)).status, other).toBe(415)
    }
  })

  it('without a type or without anything is refused', async () => {
    expect(isRefusal((await ask('POST', path, [], 'a=1')).status)).toBe(true)
    expect(isRefusal((await ask('POST', path)).status)).toBe(true)
    expect(isRefusal((await ask('POST', path, [`Content-Type: ${type}`])).status)).toBe(true)
  })

  it('that is too large is refused, however it is framed', async () => {
    expect((await post('a'.repeat(40_000))).status).toBe(413)
    const chunk = `${(40_000).toString(16)}\r\n${'a'.repeat(40_000)}\r\n0\r\n\r\n`
    const chunked = [`Content-Type: ${type}`, 'Transfer-Encoding: chunked']
    const head = [`POST ${path} HTTP/1.1`, `Host: ${host}`, ...chunked, 'Connection: close']
    expect((await send(`${head.join('\r\n')}\r\n\r\n`, chunk)).status).toBe(413)
    const announced = ['Content-Length: 99999999999']
    expect((await ask('POST', path, [`Content-Type: ${type}`, ...announced])).status).toBe(413)
  })

  it.each([
    '\u00ff\u00fe',
    'a=%ff',
    'a=%',
    'a=\u0000',
    'client_id=a&client_id=b',
    'interaction=a&interaction=b&username=a&username=b&password=a&password=b',
    '&&&&====',
    '{"redirect_uris":["\u00ff"]}',
    '{"redirect_uris":',
    '{"redirect_uris":["http://127.0.0.1/a\\u0000b"]}',
    '{"__proto__":{"redirect_uris":["http://127.0.0.1/"]}}',
    '[]',
    'null',
    '"text"',
    '['.repeat(10_000),
    '1e999',
  ])('of $0 is refused', async (body) => {
    const { status, head } = await post(body)
    expect(isRefusal(status), `${status} ${head}`).toBe(true)
    expect(head).toMatch(/^content-type: (application\/json|text\/html; charset=utf-8)$/m)
  })
})

it('a request whose head never ends is given up after two minutes at most', async () => {
  // Reads the setting of the server: waiting would take two minutes. `test/http/body-deadline.test.ts` is about bodies.
  const { app: built } = await buildTestApp()
  expect(built.server.headersTimeout).toBeGreaterThan(0)
  expect(built.server.headersTimeout).toBeLessThanOrEqual(120_000)
})

describe('a thousand strangers', () => {
  it('leave nothing in the store', { timeout: 120_000 }, async () => {
    const before = await storedKeys()
    expect(before.join()).toContain('signing-key:')
    const registered = JSON.stringify({
      client_name: 'One of many',
      redirect_uris: ['http://127.0.0.1:9/callback'],
      token_endpoint_auth_method: 'none',
    })
    const asked = client.authorizationUrl()
    const statuses = await flood(4_000, (index) =>
      index % 2 === 0
        ? { method: 'POST', path: '/register', type: 'application/json', body: registered }
        : { method: 'GET', path: asked.pathname + asked.search },
    )
    expect(statuses).toEqual(
      new Map([
        [201, 2_000],
        [200, 2_000],
      ]),
    )
    expect(await storedKeys()).toEqual(before)
  })

  it('who guess codes, tokens and interactions leave nothing either', async () => {
    const before = await storedKeys()
    await flood(600, (index) => {
      const guess = Buffer.from(`guess ${index}`).toString('base64url')
      const body = [
        `grant_type=authorization_code&client_id=${client.clientId}&code=${guess}&code_verifier=${'a'.repeat(43)}`,
        `grant_type=refresh_token&client_id=${client.clientId}&refresh_token=${guess}.1.${guess}`,
        `interaction=${guess}&decision=approve`,
      ][index % 3]
      return {
        method: 'POST',
        path: index % 3 === 2 ? '/consent' : '/token',
        type: FORM,
        body: body ?? '',
      }
    })
    expect(await storedKeys()).toEqual(before)
  })
})

it('nothing of all this was a surprise to the program', async () => {
  expect(gatewarden.log()).not.toMatch(/unexpected error|"level":(50|60)/)
  expect((await ask('GET', '/readyz')).body).toContain('"store":"up"')
})

/** The keys in the store, read beside the running program. */
async function storedKeys(): Promise<readonly string[]> {
  const storage = await openStorage({ dataDir: join(folder, 'data'), now: Date.now })
  const keys: string[] = []
  for await (const [key] of storage.scan('')) keys.push(key)
  await storage.close()
  return keys
}

/** Sends many requests over a few connections, each from an address of its own. @returns the count of each status */
async function flood(
  count: number,
  make: (index: number) => { method: string; path: string; type?: string; body?: string },
): Promise<ReadonlyMap<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const statuses = new Map<number, number>()
  const [address = '', port] = gatewarden.address.split(':')
  const sendOne = async (index: number) => {
    const { method, path, type, body } = make(index)
    const outgoing = request({
      agent,
      host: address,
      port,
      method,
      path,
      headers: {
        host,
        // Loopback is a trusted proxy here, so the rate limits see a thousand addresses.
        'x-forwarded-for': `203.0.${index % 250}.${index % 97}`,
        ...(type && { 'content-type': type }),
      },
    }).end(body)
    const [answer] = await once(outgoing, 'response')
    await once(answer.resume(), 'end')
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1)
  }
  await Promise.all(Array.from({ length: count }, (_, index) => sendOne(index)))
  agent.destroy()
  return statuses
}

/** `gatewarden token`, against the real gateway in this process, and against servers that lie. */
import { describe, expect, it } from 'vitest'
import { createToken } from '../../src/cli/token.ts'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { approveDevice, DEVICE_CODE, typeCode } from '../support/device.ts'
import { check } from '../support/oauth-client.ts'
import { decide } from '../support/steps.ts'
import { run } from './harness.ts'

const SERVER = 'https://mcp.example.com/notes/mcp'

type Fetch = typeof fetch

/** The internet with the gateway, and a proxy that asks it about the protected server. */
function internetOf({ app }: TestApp): Fetch {
  return async (input, init = {}) => {
    const url = new URL(String(input))
    const isOurs = url.host === 'auth.example.com' || url.pathname.startsWith('/.well-known/')
    const answer = isOurs
      ? await app.inject({
          method: init.method === 'POST' ? 'POST' : 'GET',
          url: url.pathname + url.search,
          headers: { host: url.host, ...Object.fromEntries(new Headers(init.headers)) },
          ...(init.body !== undefined && init.body !== null && { payload: String(init.body) }),
        })
      : await check(app, { 'x-forwarded-uri': url.pathname })
    const headers = new Headers()
    for (const [name, value] of Object.entries(answer.headers)) headers.set(name, String(value))
    return new Response(answer.body, { status: answer.statusCode, headers })
  }
}

/** Runs the command; `during` gets the number of each wait, and time goes by with it. */
async function getToken(
  gateway: TestApp,
  options: {
    args?: readonly string[]
    internet?: Fetch
    during?: (wait: number, userCode: string, stop: () => void) => unknown
  } = {},
) {
  const waits: number[] = []
  let said = ''
  let stop = () => {}
  const internet = options.internet ?? internetOf(gateway)
  const command = createToken({
    fetch: async (input, init) => {
      const answer = await internet(input, init)
      if (String(input).endsWith('/device_authorization')) {
        said = (await answer.clone().json()).user_code
      }
      return answer
    },
    elapsed: gateway.clock.elapsed,
    onInterrupt(interrupt) {
      stop = interrupt
      return () => {
        stop = () => {}
      }
    },
    async wait(seconds, signal) {
      waits.push(seconds)
      await options.during?.(waits.length, said, stop)
      signal.throwIfAborted()
      gateway.clock.advance(seconds)
    },
  })
  const ran = await run(command, { args: options.args ?? ['--url', SERVER] })
  return { ...ran, waits }
}

const approve = (gateway: TestApp) => (wait: number, user_code: string) =>
  wait === 2 ? approveDevice(createBrowser(gateway.app), { user_code }) : undefined

describe('gatewarden token', () => {
  it('finds the login, shows address and code, and prints the token alone', async () => {
    const gateway = await buildTestApp()
    const { code, stdout, stderr, waits } = await getToken(gateway, { during: approve(gateway) })
    expect(code).toBe(0)
    expect(waits).toEqual([5, 5])
    expect(stderr).toMatch(
      /^Open this address in any browser: {2}https:\/\/auth\.example\.com\/device\nand type this code: +[B-Z]{4}-[B-Z]{4}\nOr open: {2}https:\/\/auth\.example\.com\/device\?user_code=[B-Z]{4}-[B-Z]{4}\nWaiting for the answer, 10 minutes at most\. Ctrl-C stops\.\n$/,
    )
    expect(stdout).toMatch(/^[\w.-]+\n$/)
    const answer = await check(gateway.app, { authorization: `Bearer ${stdout.trim()}` })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['x-forwarded-user']).toBe('ann@example.com')
  })

  it('with --json prints the whole answer, with a refresh token', async () => {
    const gateway = await buildTestApp()
    const args = ['--url', SERVER, '--json']
    const { stdout } = await getToken(gateway, { args, during: approve(gateway) })
    expect(JSON.parse(stdout)).toMatchObject({
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'mcp',
      refresh_token: expect.any(String),
    })
  })

  it('asks for the scopes of --scope, as a client of the configuration with --client-id', async () => {
    const scopes = { read: 'Read', write: 'Write' }
    const gateway = await buildTestApp({
      registration: 'off',
      resources: [resource({ scopes, defaultScopes: ['read', 'write'] })],
      clients: [
        { id: 'ci', name: 'CI', redirectUris: [], grantTypes: [DEVICE_CODE], authMethod: 'none' },
      ],
    })
    const args = ['--url', SERVER, '--client-id', 'ci', '--scope', 'read', '--json']
    const { stdout } = await getToken(gateway, { args, during: approve(gateway) })
    expect(JSON.parse(stdout)).toMatchObject({ scope: 'read' })
    const refused = await getToken(gateway)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('ask its operator for a --client-id')
  })

  it('says that the person denied it', async () => {
    const gateway = await buildTestApp()
    const browser = createBrowser(gateway.app)
    const { code, stdout, stderr } = await getToken(gateway, {
      during: async (_wait, userCode) => decide(browser, await typeCode(browser, userCode), 'deny'),
    })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('The request was denied in the browser.')
  })

  it('says that nobody answered, after the time of the code', async () => {
    const gateway = await buildTestApp()
    const { code, stdout, stderr, waits } = await getToken(gateway)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('The code has expired')
    expect(waits).toHaveLength(120)
  })

  it('slows down when it is told to, and outlasts an outage', async () => {
    const gateway = await buildTestApp()
    const internet = internetOf(gateway)
    const answers = [
      () => Response.json({ error: 'slow_down' }, { status: 400 }),
      () => Response.json({ error: 'x' }, { status: 503, headers: { 'retry-after': '20' } }),
      () => {
        throw new TypeError('fetch failed')
      },
    ]
    const { code, waits } = await getToken(gateway, {
      internet: async (input, init) =>
        (String(input).endsWith('/token') && answers.shift()?.()) || internet(input, init),
      during: (wait, user_code) =>
        wait === 4 ? approveDevice(createBrowser(gateway.app), { user_code }) : undefined,
    })
    expect([code, waits]).toEqual([0, [5, 10, 20, 10]])
  })

  it('stops at Ctrl-C, with nothing on standard output', async () => {
    const gateway = await buildTestApp()
    const ran = await getToken(gateway, { during: (_wait, _code, stop) => stop() })
    expect(ran).toMatchObject({ code: 130, stdout: '' })
    expect(ran.stderr).toContain('Stopped.')
  })

  it.each<[string, readonly string[], RegExp]>([
    ['no address', [], /--url is missing/],
    ['an address of plain http elsewhere', ['--url', 'http://mcp.example.com/mcp'], /not an https/],
    ['a password in the address', ['--url', 'https://a:b@mcp.example.com/mcp'], /not an https/],
    ['no address at all', ['--url', 'mcp'], /not an https/],
    ['a flag that it does not have', ['--url', SERVER, '--secret', 'x'], /--secret/],
  ])('refuses %s', async (_what, args, says) => {
    const ran = await getToken(await buildTestApp(), { args })
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toMatch(says)
  })
})

describe('gatewarden token trusts no server:', () => {
  const RESOURCE = `${SERVER.replace('/notes/mcp', '')}/.well-known/oauth-protected-resource/notes/mcp`
  const ISSUER = 'https://auth.example.com'
  const METADATA = `${ISSUER}/.well-known/oauth-authorization-server`

  /** Answers each address with this; the rest is the gateway. */
  async function withAnswers(answers: Record<string, (init?: RequestInit) => Response>) {
    const gateway = await buildTestApp()
    const internet = internetOf(gateway)
    return getToken(gateway, {
      internet: async (input, init) => answers[String(input)]?.(init) ?? internet(input, init),
    })
  }
  const json = (body: unknown) => () => Response.json(body)
  const resourceOf = (changes: Record<string, unknown>) =>
    json({ resource: SERVER, authorization_servers: [ISSUER], ...changes })
  const metadataOf = (changes: Record<string, unknown>) =>
    json({
      issuer: ISSUER,
      token_endpoint: `${ISSUER}/token`,
      device_authorization_endpoint: `${ISSUER}/device_authorization`,
      registration_endpoint: `${ISSUER}/register`,
      ...changes,
    })

  it.each<[string, Record<string, () => Response>, RegExp]>([
    [
      'one that names the resource of another server',
      { [RESOURCE]: resourceOf({ resource: 'https://bank.example/mcp' }) },
      /about another server/,
    ],
    [
      'one whose resource only begins alike',
      { [RESOURCE]: resourceOf({ resource: 'https://mcp.example.com/note' }) },
      /about another server/,
    ],
    [
      'one that sends it to plain http',
      { [RESOURCE]: resourceOf({ authorization_servers: ['http://localhost:9'] }) },
      /not https/,
    ],
    [
      'metadata of another issuer',
      { [METADATA]: metadataOf({ issuer: 'https://evil.example' }) },
      /another issuer/,
    ],
    [
      'a token endpoint of plain http',
      { [METADATA]: metadataOf({ token_endpoint: 'http://127.0.0.1:9/token' }) },
      /not https/,
    ],
    [
      'a login without the grant',
      { [METADATA]: metadataOf({ device_authorization_endpoint: undefined }) },
      /no device grant/,
    ],
    ['a server that needs no token', { [SERVER]: json({ jsonrpc: '2.0' }) }, /needs no token/],
    [
      'a redirect',
      { [SERVER]: () => new Response(null, { status: 302, headers: { location: ISSUER } }) },
      /answered 302/,
    ],
    [
      'an answer without end',
      { [RESOURCE]: () => new Response('x'.repeat(300_000)) },
      /the answer is too long/,
    ],
    [
      'codes that are no codes',
      { [`${ISSUER}/device_authorization`]: json({ device_code: 1 }) },
      /cannot be used/,
    ],
    [
      'an address for the person that is no web page',
      {
        [`${ISSUER}/device_authorization`]: json({
          device_code: 'x',
          user_code: 'y',
          verification_uri: 'javascript:alert(1)',
          expires_in: 600,
        }),
      },
      /not https/,
    ],
    [
      'a token with a line break',
      { [`${ISSUER}/token`]: json({ access_token: 'a\nrm -rf' }) },
      /cannot be used/,
    ],
  ])('%s', async (_what, answers, says) => {
    const ran = await withAnswers(answers)
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    expect(ran.stderr).toMatch(says)
  })

  it('writes no control character of a server to the terminal', async () => {
    const { stderr } = await withAnswers({
      [`${ISSUER}/device_authorization`]: json({
        device_code: 'x',
        user_code: 'AAAA\u001b[2J\u202e',
        verification_uri: `${ISSUER}/device\u0007`,
        expires_in: 60,
      }),
    })
    expect(stderr).toContain('AAAA[2J')
    expect(stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})

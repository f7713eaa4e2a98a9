/**
 * Questions on the wire are answered before Fastify sees them, injected questions by its routes: both get the same
 * answer.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { asTraefikAsks } from '../check/asked.ts'
import { buildTestApp, resource } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen, open } from '../support/raw-http.ts'

const gateway = await buildTestApp({
  resources: [
    resource({ isDefault: true }),
    resource({ id: 'files', url: 'https://mcp.example.com/files/mcp' }),
  ],
})
const { tokens } = await obtainTokens(gateway.app)
const WARM = `Authorization: Bearer ${tokens.access_token}`

interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** The headers of an answer that say something about the question; each answer has a number of its own. */
const withoutTransport = (headers: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !/^(?:date|connection|keep-alive|x-request-id)$/.test(name),
    ),
  )

async function injected([line = '', ...lines]: readonly string[]): Promise<Seen> {
  const { app } = await gateway.restart()
  const [, url = ''] = line.split(' ')
  const headers = Object.fromEntries(
    lines.map((each) => {
      const colon = each.indexOf(':')
      return [each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim()]
    }),
  )
  const answer = await app.inject({ url, headers })
  return { status: answer.statusCode, headers: withoutTransport(answer.headers), body: answer.body }
}

async function onTheWire(head: readonly string[]): Promise<Seen> {
  const { app } = await gateway.restart()
  const { status, lines, body } = await exchange(await listen(app), head)
  const headers = Object.fromEntries(lines.map(([name, value]) => [name.toLowerCase(), value]))
  return { status, headers: withoutTransport(headers), body }
}

describe('a question', () => {
  it.each<[string, number, readonly string[]]>([
    ['with a good token', 200, asTraefikAsks([WARM])],
    ['at the address of its server', 200, asTraefikAsks([WARM], '/auth/traefik/r/notes')],
    ['at the address of another server', 403, asTraefikAsks([WARM], '/auth/traefik/r/files')],
    ['of a server that nobody knows', 403, asTraefikAsks([WARM], '/auth/r/a/r/b%2Fc')],
    ['with a query of its own', 200, asTraefikAsks([WARM], '/auth?x=1')],
    ['without a token', 401, asTraefikAsks()],
    ['with garbage', 401, asTraefikAsks(['Authorization: Bearer garbage'])],
    ['without the headers of a proxy', 403, ['GET /auth HTTP/1.1', 'Host: gatewarden']],
    [
      'at an address that only looks like ours once it is decoded',
      404,
      asTraefikAsks([WARM], '/%61uth'),
    ],
    ['below an address of ours', 404, asTraefikAsks([WARM], '/auth/traefik/x')],
    ['pinned at an address without pins', 404, asTraefikAsks([WARM], '/verify/r/notes')],
  ])('%s is answered with %i, on the wire as injected', async (_what, status, head) => {
    const wire = await onTheWire(head)
    expect(wire.status).toBe(status)
    const { headers, ...asInjected } = await injected(head)
    // The answer to a program at an unknown address names its request, and no two requests have the same name.
    expect(wire).toMatchObject(status === 404 ? { status } : { ...asInjected, headers })
    expect(Object.keys(wire.headers)).toEqual(Object.keys(headers))
  })

  it('of a peer that nobody named is refused, a person by a page', async () => {
    const { app, logs } = await gateway.restart({ trustedProxies: ['192.0.2.1/32'] })
    const port = await listen(app)
    const program = await exchange(port, asTraefikAsks([WARM]))
    expect({ status: program.status, type: program.values('content-type') }).toEqual({
      status: 403,
      type: ['application/json'],
    })
    const person = await exchange(port, [
      'GET /auth HTTP/1.1',
      'Host: gatewarden',
      'Accept: text/html',
      'Sec-Fetch-Mode: navigate',
      'Sec-Fetch-Dest: document',
    ])
    expect(person.status).toBe(403)
    expect(person.body).toContain('Nothing can be opened at this address')
    const [warning, ...more] = logs.filter(({ level }) => level === 40)
    expect(more).toEqual([])
    expect(warning?.msg).toMatch(/add its address to TRUSTED_PROXIES/)
  })

  it.each(['QUERY', 'PROPFIND', 'DELETE'])('may be made with %s and any body', async (method) => {
    const { app } = await gateway.restart()
    const [, ...lines] = asTraefikAsks([WARM, 'Content-Type: x/y; q', 'Content-Length: 4'])
    const { status } = await exchange(
      await listen(app),
      [`${method} /auth HTTP/1.1`, ...lines],
      'body',
    )
    expect(status).toBe(200)
  })

  it('leaves its connection in order, whatever of its body has come', async () => {
    const { app } = await gateway.restart()
    const connection = await open(await listen(app))
    const [, ...lines] = asTraefikAsks([WARM, 'Content-Length: 4'])
    const head = ['POST /auth HTTP/1.1', ...lines].join('\r\n')
    connection.send(`${head}\r\n\r\nbo`)
    await connection.until(/^HTTP\/1\.1 200 /)
    connection.send(`dy${asTraefikAsks().join('\r\n')}\r\n\r\n`)
    await connection.until(/HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 401 /)
  })

  it('fails closed where a check breaks down', async () => {
    const broken = await gateway.restart({})
    broken.storage.get = () => {
      throw new TypeError('a mistake of ours')
    }
    const { status, body } = await exchange(await listen(broken.app), asTraefikAsks([WARM]))
    expect({ status, body }).toEqual({ status: 500, body: '' })
    const [line] = broken.logs.filter(({ level }) => level === 50)
    expect(line).toMatchObject({
      event: 'request-failed',
      requestId: expect.any(String),
    })
    expect(JSON.stringify(broken.logs)).not.toContain(tokens.access_token)
  })
})

/** An upstream that is Gatewarden itself, under a name that the configuration cannot know (first-hour, silent faults). */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { DEFAULT_PASS_THROUGH } from '../../src/resources/pass-through.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { afterTest } from '../support/clean-ups.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { linesOf, startUpstream } from '../support/upstream-server.ts'

const HEALTH = 'GET /notes/mcp/health HTTP/1.1'

/** Another address of a port that is known later. */
async function startAlias() {
  let port = 0
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    const through = connect(port, '127.0.0.1')
    socket.pipe(through).pipe(socket)
    for (const end of [socket, through]) end.on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(() => server.close())
  const address = server.address()
  return {
    origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    leadTo(other: number) {
      port = other
    },
    connections: () => connections,
  }
}

const notes = (upstream: string, host: 'own' | 'public' = 'public') =>
  resource({
    allow: ANYONE,
    openPaths: ['/notes/mcp/health'],
    upstream,
    passThrough: { ...DEFAULT_PASS_THROUGH, host },
  })

async function startLoop(path: string, host: 'own' | 'public') {
  const alias = await startAlias()
  const test = await buildTestApp({ resources: [notes(alias.origin + path, host)] })
  const port = await listen(test.app)
  alias.leadTo(port)
  return { ...test, port, alias }
}

it.each([
  ['the same address again', '/notes/mcp', 'public', 'mcp.example.com/notes/mcp/health'],
  ['an address of no server', '/mcp', 'own', /^127\.0\.0\.1:\d+\/mcp\/health$/],
] as const)(
  'is 508 after one round, and a line that names the server: %s',
  async (_name, path, host, asked) => {
    const { port, events, logs, alias } = await startLoop(path, host)
    const answer = await exchange(port, [HEALTH, 'Host: mcp.example.com'])
    expect(answer.status).toBe(508)
    expect(JSON.parse(answer.body)).toMatchObject({
      error: 'server_error',
      error_description: expect.stringContaining('leads back to the gateway'),
    })
    expect(answer.values('cache-control')).toEqual(['no-store'])
    expect(alias.connections()).toBe(1)
    const told = events.filter(({ event }) => event === 'upstream-loops')
    expect(told).toEqual([
      expect.objectContaining({
        resource: 'notes',
        asked: typeof asked === 'string' ? asked : expect.stringMatching(asked),
      }),
    ])
    expect(logs.find(({ event }) => event === 'upstream-loops')).toMatchObject({
      level: 50,
      msg: expect.stringContaining('write the address of the MCP server itself into upstream'),
    })
  },
)

it('tells a person on a page', async () => {
  const { port } = await startLoop('/notes/mcp', 'public')
  const answer = await exchange(port, [
    HEALTH,
    'Host: mcp.example.com',
    'Accept: text/html',
    'Sec-Fetch-Mode: navigate',
    'Sec-Fetch-Dest: document',
  ])
  expect(answer.status).toBe(508)
  expect(answer.body).toContain('This server is set up in a circle')
})

it('is not another deployment behind this one, nor another server of this one', async () => {
  const server = await startUpstream((_request, response) => response.end('fine'))
  const middle = await startAlias()
  const wiki = resource({
    id: 'wiki',
    url: 'https://wiki.example.com/notes/mcp',
    allow: ANYONE,
    openPaths: ['/notes/mcp/health'],
    upstream: `${middle.origin}/notes/mcp`,
    passThrough: { ...DEFAULT_PASS_THROUGH, host: 'public' },
  })
  const inner = await buildTestApp(
    { resources: [{ ...wiki, upstream: `${server.origin}/mcp` }, notes(`${server.origin}/mcp`)] },
    { secret: 'the root secret of another deployment' },
  )
  middle.leadTo(await listen(inner.app))
  const outer = await buildTestApp({ resources: [wiki] })
  const answer = await exchange(await listen(outer.app), [HEALTH, 'Host: wiki.example.com'])
  expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: 'fine' })
  const [request] = server.requests
  if (!request) throw new Error('nothing arrived')
  const marks = linesOf(request, 'cdn-loop')
  expect(marks).toHaveLength(2)
  expect(marks[0]).toMatch(/^gatewarden-[\w-]{16}$/)
  expect(marks[1]).not.toBe(marks[0])

  // From one server of a deployment to another one of the same, and on.
  const both = await startAlias()
  const chain = await buildTestApp({
    resources: [
      {
        ...wiki,
        upstream: `${both.origin}/notes/mcp`,
        passThrough: DEFAULT_PASS_THROUGH,
        also: [],
      },
      {
        ...notes(`${server.origin}/mcp`),
        url: `${both.origin}/notes/mcp`,
      },
    ],
  })
  const port = await listen(chain.app)
  both.leadTo(port)
  expect((await exchange(port, [HEALTH, 'Host: wiki.example.com'])).body).toBe('fine')
})

it('refuses the one request that brings a mark, and nobody else', async () => {
  const server = await startUpstream((_request, response) => response.end('fine'))
  const { app } = await buildTestApp({ resources: [notes(`${server.origin}/mcp`)] })
  const port = await listen(app)
  const ask = (...headers: string[]) =>
    exchange(port, [HEALTH, 'Host: mcp.example.com', ...headers])
  await ask()
  const [request] = server.requests
  const [mark = ''] = request ? linesOf(request, 'cdn-loop') : []
  expect((await ask(`CDN-Loop: other, ${mark}`)).status).toBe(508)
  for (const guess of ['gatewarden', `${mark}x`, `${mark.slice(0, -1)}`, '', ',,']) {
    expect((await ask(`CDN-Loop: ${guess}`)).status).toBe(200)
  }
  expect((await ask()).body).toBe('fine')
  // What came before us stays, for the proxies that wrote it.
  await ask('CDN-Loop: cdn.example')
  const last = server.requests.at(-1)
  expect(last && linesOf(last, 'cdn-loop')).toEqual(['cdn.example', mark])
})

/**
 * The conversation with a server about its tools: with real servers, with those of the newest revision, and with servers
 * that break or attack it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { askTools, LIMITS } from '../../src/mcp/ask-tools.ts'
import { startScopedServer, TOOLBOX } from '../support/scoped-server.ts'
import { bodyOf, startUpstream } from '../support/upstream-server.ts'

const never = new AbortController().signal
const ask = (url: string, headers: Record<string, string> = {}) =>
  askTools(new URL(url), { headers, signal: never })

describe('a real server', () => {
  it.each([
    ['stateless, as events', {}],
    ['stateless, as JSON', { json: true }],
    ['with a session, as events', { stateful: true }],
    ['with a session, as JSON', { stateful: true, json: true }],
  ])('is asked after a handshake: %s', async (_name, options) => {
    const server = await startScopedServer(TOOLBOX, options)
    const { meta } = await ask(server.url)
    expect(meta).toEqual({ scopes: TOOLBOX })
    expect(server.called).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/list',
      // Otherwise the session would stay open.
      ...('stateful' in options ? ['DELETE'] : []),
    ])
  })

  it('is asked page by page', async () => {
    const server = await startScopedServer(TOOLBOX, { pages: 3, stateful: true })
    const { meta, tools } = await ask(server.url)
    expect(meta).toEqual({ scopes: TOOLBOX })
    expect(tools).toMatchObject([{ name: 'tool_0' }, { name: 'tool_1' }, { name: 'tool_2' }])
  })

  it('gets an identity of our own, and the headers that the operator gave', async () => {
    const server = await startScopedServer()
    await ask(server.url, { authorization: 'Bearer of-the-operator', accept: 'text/html' })
    for (const { headers } of server.requests) {
      expect(headers).toMatchObject({
        authorization: 'Bearer of-the-operator',
        accept: 'application/json, text/event-stream',
        'user-agent': 'gatewarden',
      })
      expect(Object.keys(headers).filter((name) => /^x-|^cookie$/.test(name))).toEqual([])
    }
  })
})

/** A server that answers each call by hand. */
async function serve(answer: (call: Call, response: ServerResponse) => unknown): Promise<string> {
  const server = await startUpstream(async (request, response) => {
    const text = await bodyOf(request)
    answer({ request, ...(text === '' ? {} : JSON.parse(text)) }, response)
  })
  return `${server.origin}/mcp`
}
interface Call {
  readonly request: IncomingMessage
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, unknown>
}
const json = (response: ServerResponse, value: unknown, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
/** Shakes hands, and leaves the list to a test. */
const afterHandshake = (list: (call: Call, response: ServerResponse) => unknown) =>
  serve((call, response) => {
    if (call.method === 'tools/list') list(call, response)
    else if (call.id === undefined) response.writeHead(202).end()
    else json(response, { jsonrpc: '2.0', id: call.id, result: { protocolVersion: '2025-06-18' } })
  })

describe('a server of MCP 2026-07-28', () => {
  it('is asked without a handshake, with version and client in each call', async () => {
    const calls: Call[] = []
    const url = await serve((call, response) => {
      calls.push(call)
      if (call.method === 'tools/list') {
        json(response, {
          jsonrpc: '2.0',
          id: call.id,
          result: { tools: [], _meta: { scopes: [] } },
        })
      } else json(response, { jsonrpc: '2.0', id: call.id, error: { code: -32022 } }, 400)
    })
    expect(await ask(url)).toEqual({ meta: { scopes: [] }, tools: [] })
    const last = calls.at(-1)
    expect(last?.request.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
    })
    expect(last?.params).toMatchObject({
      _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
    })
  })
})

describe('the conversation', () => {
  it('goes on with the version and the session of the server', async () => {
    const seen: IncomingMessage['headers'][] = []
    const url = await serve((call, response) => {
      if (call.request.method === 'DELETE') response.writeHead(405).end()
      else if (call.method === 'initialize') {
        response.setHeader('mcp-session-id', 'abc')
        json(response, { jsonrpc: '2.0', id: call.id, result: { protocolVersion: '2025-03-26' } })
      } else {
        seen.push(call.request.headers)
        json(response, { jsonrpc: '2.0', id: call.id ?? 0, result: { tools: [] } })
      }
    })
    await ask(url)
    expect(seen).toHaveLength(2)
    for (const headers of seen) {
      expect(headers).toMatchObject({
        'mcp-session-id': 'abc',
        'mcp-protocol-version': '2025-03-26',
      })
    }
  })

  it('finds the answer among pings, notifications and empty events of a stream in pieces', async () => {
    const url = await afterHandshake(({ id }, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
      const answer = JSON.stringify({ jsonrpc: '2.0', id, result: { tools: [{ name: 'é' }] } })
      const stream = Buffer.from(
        `: hello\r\nid: 1\r\ndata:\r\n\r\ndata: {"jsonrpc":"2.0","id":${id},"method":"ping"}\n\n` +
          `event: message\ndata: ${answer.slice(0, 17)}\ndata: ${answer.slice(17)}\n\n`,
      )
      for (const byte of stream) response.write(Buffer.from([byte]))
    })
    expect((await ask(url)).tools).toEqual([{ name: 'é' }])
  })

  it('follows redirects within the server alone', async () => {
    const url = await serve(({ request, id }, response) => {
      if (request.url === '/mcp') response.writeHead(307, { location: '/mcp/' }).end()
      else json(response, { jsonrpc: '2.0', id: id ?? 0, result: { tools: [] } })
    })
    expect((await ask(url)).tools).toEqual([])
    const other = await startUpstream((_, response) => response.end())
    const away = await serve((_, response) =>
      response.writeHead(308, { location: `${other.origin}/mcp` }).end(),
    )
    await expect(ask(away, { authorization: 'Bearer secret' })).rejects.toThrow('another origin')
    expect(other.requests).toEqual([])
    const circle = await serve(({ request }, response) =>
      response.writeHead(307, { location: request.url }).end(),
    )
    await expect(ask(circle)).rejects.toThrow('in a circle')
  })
})

const page = (call: Call, result: object) => ({ jsonrpc: '2.0', id: call.id, result })

describe('a broken or hostile server', () => {
  it.each<[string, string, (call: Call, response: ServerResponse) => unknown]>([
    [
      'too large an answer',
      'too large',
      (call, response) =>
        json(response, page(call, { tools: [{ name: 'x'.repeat(LIMITS.bytes) }] })),
    ],
    [
      'an event stream without end',
      'too large',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        const more = () => {
          while (!response.destroyed && response.write(': '.repeat(16_000)));
        }
        response.on('drain', more)
        more()
      },
    ],
    [
      'pages without end',
      'too many pages',
      (call, response) =>
        json(response, page(call, { tools: [], nextCursor: String(Math.random()) })),
    ],
    [
      'pages in a circle',
      'in a circle',
      (call, response) => json(response, page(call, { tools: [], nextCursor: 'again' })),
    ],
    [
      'too many tools',
      'too many pages or tools',
      (call, response) =>
        json(
          response,
          page(call, {
            tools: Array.from({ length: LIMITS.tools + 1 }, () => 1),
            nextCursor: 'x',
          }),
        ),
    ],
    ['no JSON', 'no JSON', (_, response) => response.end('{"id":')],
    ['HTML', 'no JSON', (_, response) => response.end('<h1>It works</h1>')],
    ['broken UTF-8', 'not valid', (_, response) => response.end(Buffer.from([0x22, 0xff, 0x22]))],
    ['no list', 'lists no tools', (call, response) => json(response, page(call, { tools: 'all' }))],
    [
      'the answer to another call',
      'no JSON-RPC response',
      (_, response) => json(response, { jsonrpc: '2.0', id: 999, result: { tools: [] } }),
    ],
    [
      'a compressed answer',
      'compressed',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
    ],
    ['an error', 'status 500', (_, response) => response.writeHead(500).end()],
    ['an error of the protocol', 'status 404', (_, response) => response.writeHead(404).end()],
    [
      'a demand for a login',
      'wants a credential that we do not have',
      (_, response) => response.writeHead(401).end(),
    ],
  ])('with %s has no good answer', async (_name, reason, list) => {
    await expect(ask(await afterHandshake(list))).rejects.toThrow(reason)
  })

  it('that never answers is left when the time is up', async () => {
    const url = await afterHandshake(() => undefined)
    const ends = AbortSignal.timeout(100)
    await expect(askTools(new URL(url), { headers: {}, signal: ends })).rejects.toThrow()
  })

  it('that is away has no good answer', async () => {
    const server = await startUpstream()
    await server.stop()
    await expect(ask(server.origin)).rejects.toThrow()
  })
})

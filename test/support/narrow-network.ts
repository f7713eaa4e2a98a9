/**
 * The network of a client whose operator's proxy routes little: the notes server after its check, and of all other
 * addresses those that the test says.
 *
 * @module
 */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { check } from './oauth-client.ts'

const SERVER = 'https://mcp.example.com/notes/mcp'

/** @param options.isRouted true for an address that the proxy brings to the gateway; any other is the proxy's own 404 */
export function narrowNetwork(
  app: FastifyInstance,
  { isRouted }: { readonly isRouted: (url: URL) => boolean },
) {
  /** Host and path of every request. */
  const asked: string[] = []
  async function fetch(input: string | URL, init: RequestInit = {}): Promise<Response> {
    const url = new URL(input)
    const request = new Request(url, init)
    asked.push(url.host + url.pathname)
    if (url.href === SERVER) {
      const authorization = request.headers.get('authorization') ?? undefined
      const checked = await check(app, { 'x-forwarded-method': request.method, authorization })
      return checked.statusCode === 200 ? answerOfServer(request) : responseOf(checked)
    }
    if (!isRouted(url)) return new Response('404 page not found', { status: 404 })
    return responseOf(
      await app.inject({
        method: request.method === 'POST' ? 'POST' : 'GET',
        url: url.pathname + url.search,
        headers: { ...Object.fromEntries(request.headers), host: url.host },
        payload: await request.text(),
      }),
    )
  }
  return { fetch, asked }
}

function responseOf({ statusCode, headers, body }: LightMyRequestResponse): Response {
  const lines = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ])
  return new Response(body, { status: statusCode, headers: lines })
}

/** The answers of a server that can do nothing but begin a session. */
async function answerOfServer(request: Request): Promise<Response> {
  if (request.method !== 'POST') return new Response(null, { status: 405 })
  const { id, method, params } = await request.json()
  if (method !== 'initialize') return new Response(null, { status: 202 })
  const result = {
    protocolVersion: params.protocolVersion,
    capabilities: {},
    serverInfo: { name: 'notes', version: '1' },
  }
  return Response.json({ jsonrpc: '2.0', id, result })
}

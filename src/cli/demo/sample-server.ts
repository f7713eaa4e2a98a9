/**
 * A small MCP server to try the login with: it says what it hears, and shows what it learned of the caller. Streamable
 * HTTP without sessions, for the revisions that begin with `initialize`.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import * as z from 'zod'

export interface SampleServer {
  /** The URL of its MCP endpoint for a proxy in front. */
  readonly url: string
  close(): Promise<void>
}

const REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26']
const PATH = '/mcp'
const MAX_BODY = 1024 * 1024
/** JSON-RPC 2.0 section 5.1. */
const ERRORS = {
  parse: { code: -32_700, message: 'Parse error' },
  request: { code: -32_600, message: 'Invalid Request' },
  method: { code: -32_601, message: 'Method not found' },
  params: { code: -32_602, message: 'Invalid params' },
} as const

const Id = z.union([z.string(), z.number()])
const Message = z.object({
  jsonrpc: z.literal('2.0'),
  id: Id.optional(),
  method: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
})
type Message = z.infer<typeof Message>

const EchoArguments = z.object({ message: z.string() })
const Call = z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()).optional() })

const TOOLS = [
  {
    name: 'echo',
    description: 'Says what it is told.',
    inputSchema: {
      type: 'object',
      properties: { message: { type: 'string', description: 'The text to say.' } },
      required: ['message'],
    },
    annotations: { readOnlyHint: true },
  },
  {
    name: 'whoami',
    description: 'Shows the headers by which this server knows who calls.',
    inputSchema: { type: 'object', properties: {} },
    annotations: { readOnlyHint: true },
  },
]

/** Listens on a free port of 127.0.0.1: the server has no login of its own. */
export async function startSampleServer(version: string): Promise<SampleServer> {
  const server = createServer((request, response) => {
    answer(request, response, version).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}${PATH}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  version: string,
): Promise<void> {
  if ((request.url ?? '').split('?')[0] !== PATH) return send(response, 404)
  // The server starts no message itself, so it offers no event stream.
  if (request.method !== 'POST') {
    response.setHeader('allow', 'POST')
    return send(response, 405, { jsonrpc: '2.0', id: null, error: ERRORS.request })
  }
  const body = await readBody(request)
  if (body === undefined) return send(response, 413)
  const message = Message.safeParse(parseJson(body))
  if (!message.success) {
    const error = parseJson(body) === undefined ? ERRORS.parse : ERRORS.request
    return send(response, 400, { jsonrpc: '2.0', id: null, error })
  }
  const { id, method } = message.data
  // Notifications and answers get no answer (MCP 2025-11-25, Streamable HTTP).
  if (id === undefined || method === undefined) return send(response, 202)
  const outcome = outcomeOf(message.data, request, version)
  return send(response, 200, { jsonrpc: '2.0', id, ...outcome })
}

type Outcome = { readonly result: unknown } | { readonly error: (typeof ERRORS)['method'] | object }

function outcomeOf(
  { method, params }: Message,
  request: IncomingMessage,
  version: string,
): Outcome {
  switch (method) {
    case 'initialize': {
      const asked = params?.protocolVersion
      const protocolVersion = REVISIONS.find((revision) => revision === asked) ?? REVISIONS[0]
      const serverInfo = { name: 'gatewarden-demo', version }
      return { result: { protocolVersion, capabilities: { tools: {} }, serverInfo } }
    }
    case 'ping':
      return { result: {} }
    case 'tools/list':
      return { result: { tools: TOOLS } }
    case 'tools/call':
      return callTool(params, request)
    default:
      return { error: ERRORS.method }
  }
}

function callTool(params: unknown, request: IncomingMessage): Outcome {
  const call = Call.safeParse(params)
  const say = (text: string): Outcome => ({ result: { content: [{ type: 'text', text }] } })
  if (call.data?.name === 'whoami') return say(identityOf(request))
  const echo = EchoArguments.safeParse(call.data?.arguments)
  if (call.data?.name !== 'echo' || !echo.success) return { error: ERRORS.params }
  return say(`Echo: ${echo.data.message}`)
}

/** The header lines that Gatewarden adds, and whether the client's token came along. */
function identityOf({ headers }: IncomingMessage): string {
  const lines = Object.entries(headers)
    .filter(([name]) => /^x-(?:forwarded-(?:user|email|groups|scopes|client)|user-)/.test(name))
    .map(([name, value]) => `${name}: ${String(value)}`)
  const token = headers.authorization === undefined ? 'no' : 'yes'
  return [...lines.toSorted(), `The client's token came along: ${token}`].join('\n')
}

/** @returns undefined for a body that is too long */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    length += bytes.length
    if (length > MAX_BODY) return undefined
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function send(response: ServerResponse, status: number, body?: object): void {
  const text = body === undefined ? '' : JSON.stringify(body)
  response.writeHead(status, {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

/**
 * An MCP server that speaks one revision at a time and refuses every other, so that each client has to speak it. Its only
 * tool is `echo`.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'

export const REVISIONS = ['2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'] as const
export type Revision = (typeof REVISIONS)[number]

export interface RevisionServer {
  /** The `host:port` where it listens. */
  readonly address: string
  /** Speaks this revision from now on. */
  speak(revision: Revision): void
  /** The tools that clients called since it speaks its present revision. */
  calls(): readonly string[]
  close(): Promise<void>
}

const Message = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z
    .object({
      name: z.string().optional(),
      arguments: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
})
type Message = z.infer<typeof Message>

interface Answer {
  readonly status: number
  readonly body?: { readonly result: object } | { readonly error: object }
}

/** Listens on a free port of 127.0.0.1. */
export async function startRevisionServer(): Promise<RevisionServer> {
  let revision: Revision = '2025-03-26'
  let calls: string[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
    if (request.method !== 'POST') {
      response.writeHead(405).end()
      return
    }
    const message = Message.parse(JSON.parse(text))
    const { status, body } = answerTo(message, request.headers, revision)
    if (body && 'result' in body && message.method === 'tools/call') {
      calls.push(message.params?.name ?? '')
    }
    response.writeHead(status, body && { 'content-type': 'application/json' })
    response.end(body && JSON.stringify({ jsonrpc: '2.0', id: message.id ?? null, ...body }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = z.object({ port: z.int() }).parse(server.address())
  return {
    address: `127.0.0.1:${port}`,
    speak(next) {
      revision = next
      calls = []
    },
    calls: () => calls,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function answerTo(message: Message, headers: IncomingHttpHeaders, revision: Revision): Answer {
  if (message.id === undefined) return { status: 202 }
  const isModern = revision >= '2026-07-28'
  const { method, params } = message
  if (!isModern && method === 'initialize') {
    const serverInfo = { name: 'server of one revision', version: '1.0.0' }
    return result({ protocolVersion: revision, capabilities: { tools: {} }, serverInfo })
  }
  if (!isModern && method === 'server/discover') return error(400, -32_000, 'not initialized')
  if (!speaks(headers, revision)) {
    const data = { supported: [revision], requested: headers['mcp-protocol-version'] }
    return error(400, -32_022, 'unsupported protocol version', data)
  }
  // A proxy on the way may not lose these headers (MCP 2026-07-28, transports).
  if (isModern && headers['mcp-method'] !== method) return error(400, -32_600, 'no Mcp-Method')
  const fresh = isModern ? { resultType: 'complete', ttlMs: 0, cacheScope: 'private' } : {}
  switch (method) {
    case 'server/discover':
      return result({ ...fresh, supportedVersions: [revision], capabilities: { tools: {} } })
    case 'tools/list':
      return result({ ...fresh, tools: [{ name: 'echo', inputSchema: { type: 'object' } }] })
    case 'tools/call': {
      if (isModern && headers['mcp-name'] !== params?.name)
        return error(400, -32_600, 'no Mcp-Name')
      const text = `Echo: ${params?.arguments?.message}`
      const done = isModern ? { resultType: 'complete' } : {}
      return result({ ...done, content: [{ type: 'text', text }] })
    }
    case 'ping':
      return result({})
    default:
      return error(isModern ? 404 : 200, -32_601, 'method not found')
  }
}

/** The first revision had no such header, but some of its clients send it. */
const speaks = ({ 'mcp-protocol-version': said }: IncomingHttpHeaders, revision: Revision) =>
  said === revision || (said === undefined && revision === '2025-03-26')

const result = (value: object): Answer => ({ status: 200, body: { result: value } })

const error = (status: number, code: number, message: string, data?: object): Answer => ({
  status,
  body: { error: { code, message, ...(data && { data }) } },
})

/**
 * A real MCP server, made with the SDK, that says its scopes in `_meta.scopes` of `tools/list`.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { startUpstream, type UpstreamServer } from './upstream-server.ts'

export interface SaidScope {
  readonly name: string
  readonly description?: string
  readonly tools?: readonly string[]
}

/** The scopes of the server that its authors show in their README. */
export const TOOLBOX: readonly SaidScope[] = [
  {
    name: 'toolbox:read_only',
    description: 'Allow all read-only toolbox operations.',
    tools: ['get_resource', 'list_resources'],
  },
  {
    name: 'toolbox:read_write',
    description: 'Allow all toolbox operations.',
    tools: ['get_resource', 'list_resources', 'delete_resource'],
  },
  { name: 'toolbox:list', description: 'Allow listing resources.', tools: ['list_resources'] },
]

export interface ScopedServer extends UpstreamServer {
  /** The URL of the MCP endpoint. */
  readonly url: string
  /** Says other scopes from now on; undefined: none at all. */
  say(scopes: readonly SaidScope[] | undefined): void
  /** The methods that were called, in order; `DELETE` for the end of a session. */
  readonly called: readonly string[]
}

/** @param options `stateful`: it gives out sessions; `json`: it answers without an event stream; `pages`: of the list */
export async function startScopedServer(
  scopes: readonly SaidScope[] = TOOLBOX,
  options: {
    readonly stateful?: boolean
    readonly json?: boolean
    readonly pages?: number
  } = {},
): Promise<ScopedServer> {
  const { stateful = false, json = false, pages = 1 } = options
  let said: readonly SaidScope[] | undefined = scopes
  const called: string[] = []
  const sessions = new Map<string, StreamableHTTPServerTransport>()

  function tools(cursor: string | undefined) {
    const page = Number(cursor ?? 0)
    return {
      tools: [{ name: `tool_${page}`, inputSchema: { type: 'object' as const } }],
      ...(said && page === 0 && { _meta: { scopes: said } }),
      ...(page + 1 < pages && { nextCursor: String(page + 1) }),
    }
  }

  async function connected(): Promise<StreamableHTTPServerTransport> {
    const server = new Server({ name: 'toolbox', version: '1' }, { capabilities: { tools: {} } })
    server.setRequestHandler(ListToolsRequestSchema, ({ params }) => tools(params?.cursor))
    const transport = new StreamableHTTPServerTransport({
      enableJsonResponse: json,
      ...(stateful && {
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (id: string) => void sessions.set(id, transport),
      }),
    })
    // Its type is written without exactOptionalPropertyTypes.
    await server.connect(transport as Parameters<Server['connect']>[0])
    return transport
  }

  const server = await startUpstream(async (request, response) => {
    const body = await jsonOf(request)
    called.push(request.method === 'POST' ? (body?.method ?? '?') : (request.method ?? '?'))
    const known = sessions.get(String(request.headers['mcp-session-id']))
    const transport = known ?? (await connected())
    await transport.handleRequest(request, response, body)
  })
  return {
    ...server,
    url: `${server.origin}/mcp`,
    called,
    say(next) {
      said = next
    },
  }
}

async function jsonOf(request: IncomingMessage): Promise<{ method?: string } | undefined> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text === '' ? undefined : JSON.parse(text)
}

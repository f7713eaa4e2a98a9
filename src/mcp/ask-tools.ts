/**
 * `src/mcp/` asks protected servers for their tools and keeps what they say of scopes. It does not own what that means
 * for people and tokens: `src/resources/announced-scopes.ts` and `src/login/` do.
 *
 * This file holds the conversation: Gatewarden as an MCP client, with an identity of its own and never that of a person.
 *
 * @module
 */
import { z } from 'zod'
import { type BoundedPost, createBoundedPost, type PostAnswer } from '../outbound/bounded-post.ts'

/** An answer to `tools/list`: all pages together, as they came. */
export interface SaidTools {
  /** `_meta` of the first page that has one. */
  readonly meta: unknown
  readonly tools: readonly unknown[]
}

export interface AskOptions {
  /** Headers that the operator configured for the server, credentials among them. */
  readonly headers: Readonly<Record<string, string>>
  /** Ends the conversation, however far it is. */
  readonly signal: AbortSignal
}

/** @throws Error that says why there is no good answer; its message is for the log */
export type AskTools = (address: URL, options: AskOptions) => Promise<SaidTools>

export const LIMITS = { ms: 5000, bytes: 2 * 1024 * 1024, pages: 20, tools: 1000 } as const

/** The newest revision with a handshake, and the first without one. */
const LEGACY = '2025-11-25'
const MODERN = '2026-07-28'
const CLIENT_INFO = { name: 'gatewarden', version: '1' }

const Message = z.object({
  id: z.number(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ code: z.number() }).optional(),
})
const Page = z.object({
  tools: z.array(z.unknown()),
  nextCursor: z.string().max(4096).optional(),
  _meta: z.unknown().optional(),
})

/** The server does not speak this revision: another one may work. */
class RefusedMethod extends Error {}

/** Speaks MCP 2025-11-25 and before, else 2026-07-28. */
export const askTools: AskTools = async (address, { headers, signal }) => {
  const ends = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.ms)])
  const connection = createBoundedPost(address, { budget: { left: LIMITS.bytes }, signal: ends })
  const conversation = createConversation(connection, headers)
  try {
    return await conversation.afterHandshake().catch((error: unknown) => {
      if (!(error instanceof RefusedMethod)) throw error
      return conversation.withoutHandshake()
    })
  } catch (error) {
    throw ends.aborted && !signal.aborted ? new Error('there was no whole answer in time') : error
  } finally {
    await connection.close().catch(() => undefined)
  }
}

type Params = Readonly<Record<string, unknown>>

function createConversation(
  connection: BoundedPost,
  configured: Readonly<Record<string, string>>,
): { afterHandshake: () => Promise<SaidTools>; withoutHandshake: () => Promise<SaidTools> } {
  // The transport's own headers come last: a configured one must not break the protocol.
  const base = { ...configured, accept: 'application/json, text/event-stream' }
  let lastId = 0

  async function call(method: string, params: Params, headers: Readonly<Record<string, string>>) {
    lastId += 1
    const id = lastId
    let found: ReturnType<typeof messageIn>
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    const answer = await connection.post(body, { ...base, ...headers }, (text) => {
      const message = messageIn(text)
      if (message?.id !== id) return false
      found = message
      return true
    })
    if (answer.status < 200 || answer.status > 299) throw refusalOf(answer)
    if (!found) throw new Error('the answer is no JSON-RPC response')
    if (found.error) throw new RefusedMethod(`the server answered error ${found.error.code}`)
    return { result: found.result ?? {}, answer }
  }

  async function listAll(
    headers: Readonly<Record<string, string>>,
    meta: Params = {},
  ): Promise<SaidTools> {
    const tools: unknown[] = []
    const cursors = new Set<string>()
    let said: unknown
    for (let cursor: string | undefined; ; ) {
      const params = { ...meta, ...(cursor !== undefined && { cursor }) }
      const { result } = await call('tools/list', params, headers)
      const page = Page.safeParse(result)
      if (!page.success) throw new Error('the answer to tools/list lists no tools')
      tools.push(...page.data.tools.slice(0, LIMITS.tools + 1))
      said ??= page.data._meta
      cursor = page.data.nextCursor
      if (cursor === undefined) return { meta: said, tools }
      if (cursors.has(cursor)) throw new Error('the pages of tools/list go in a circle')
      cursors.add(cursor)
      if (cursors.size >= LIMITS.pages || tools.length > LIMITS.tools) {
        throw new Error('tools/list has too many pages or tools')
      }
    }
  }

  return {
    async afterHandshake() {
      const { result, answer } = await call(
        'initialize',
        { protocolVersion: LEGACY, capabilities: {}, clientInfo: CLIENT_INFO },
        {},
      )
      const session = sessionOf(answer)
      const headers = { 'mcp-protocol-version': versionOf(result), ...session }
      const ready = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })
      await connection.post(ready, { ...base, ...headers }, () => true)
      const said = await listAll(headers)
      // The session would take room at the server until it expires.
      if (session) await connection.remove({ ...base, ...headers }).catch(() => undefined)
      return said
    },
    withoutHandshake: () =>
      listAll(
        { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/list' },
        {
          _meta: {
            'io.modelcontextprotocol/protocolVersion': MODERN,
            'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      ),
  }
}

/**
 * The response in a text; undefined for requests and notifications of the server, and for the empty event by which a
 * stream begins.
 * @throws Error for a text that is no JSON
 */
function messageIn(text: string): z.infer<typeof Message> | undefined {
  if (text.trim() === '') return undefined
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // The parser's own error quotes the text, and this one goes to the log.
    throw new Error('the answer is no JSON')
  }
  const message = Message.safeParse(json)
  const isResponse = message.data?.result !== undefined || message.data?.error !== undefined
  return isResponse ? message.data : undefined
}

function refusalOf({ status }: PostAnswer): Error {
  if (status === 401 || status === 403) {
    return new Error(`the server wants a credential that we do not have (status ${status})`)
  }
  const reason = `the answer has the status ${status}`
  return status >= 400 && status <= 499 ? new RefusedMethod(reason) : new Error(reason)
}

function sessionOf({ headers }: PostAnswer): { 'mcp-session-id': string } | undefined {
  const id = headers['mcp-session-id']
  // MCP 2025-11-25, Streamable HTTP, session management: visible ASCII.
  return typeof id === 'string' && /^[\x21-\x7e]{1,1024}$/.test(id)
    ? { 'mcp-session-id': id }
    : undefined
}

function versionOf({ protocolVersion }: Params): string {
  return typeof protocolVersion === 'string' && /^[\w.-]{1,32}$/.test(protocolVersion)
    ? protocolVersion
    : LEGACY
}

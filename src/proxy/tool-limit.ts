/**
 * Lets a caller who chose among the tools of a server call those alone (setting `tool_choices`).
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import type { Answer } from '../check/answer.ts'
import type { Verified } from '../credentials/credential.ts'
import { filterHeaders } from '../http/header-list.ts'
import { canonicalName } from '../http/untrusted-headers.ts'
import { asksForTunnel } from '../http/upgrades.ts'
import type { Resource } from '../resources/resource-table.ts'
import { allowedTools } from '../resources/tool-choices.ts'
import { withoutQuery } from '../url/path.ts'
import { judgeCalls } from './tool-calls.ts'

/** JSON-RPC leaves this code to servers; MCP 2026-07-28 reserves others. */
const NOT_ALLOWED = -32000
const WORDS =
  'The person did not allow this tool when they signed in. Connect to this server again to choose other tools.'
const UNREADABLE =
  'this sign-in is for some tools alone, so each request has to be a single JSON-RPC message of the type application/json in UTF-8, without a member that comes twice'

const ELSEWHERE =
  'this sign-in is for some tools alone, so it opens only the address at which the server takes MCP messages'
/** The methods of MCP 2025-11-25, Streamable HTTP, and those that change nothing (RFC 9110 section 9.2.1). */
const METHODS = new Set(['POST', 'GET', 'DELETE', 'HEAD', 'OPTIONS'])

/**
 * @param target the request target at the server
 * @returns our answer in place of the server's, by the body of the request; undefined for a caller without a limit
 */
export async function toolLimit(
  request: FastifyRequest,
  target: string,
  resource: Resource,
  verified: Verified,
): Promise<((body: Buffer) => Answer | undefined) | undefined> {
  // The server may have said by now that a tool does not only read.
  if (allowedTools(verified.scopes, resource.scopeTools)) await resource.freshScopes()
  const allowed = allowedTools(verified.scopes, resource.scopeTools)
  if (!allowed) return undefined
  const path = withoutQuery(target).replace(/\/$/, '')
  const isForMessages =
    METHODS.has(request.method) &&
    resource.messagePaths.includes(path) &&
    // Messages in a tunnel pass unread.
    !asksForTunnel(request.raw)
  return (body) => {
    // Another route of the server may do the same as a tool, without its name.
    if (!isForMessages) {
      return json(403, { error: 'access_denied', error_description: ELSEWHERE })
    }
    if (body.length === 0 && request.method === 'POST') return unreadable()
    const refusal = judgeCalls(body, request.raw, allowed)
    if (!refusal) return undefined
    if (refusal.kind === 'unreadable') return unreadable()
    const { id, tool } = refusal
    // A name that the server does not have is a text that somebody typed.
    const isKnown = [...resource.scopeTools.values()].some((tools) => tools.includes(tool))
    request.report({
      event: 'tool-refused',
      userId: verified.sub,
      resource: resource.id,
      ...(isKnown && { mcp: `tools/call ${tool}` }),
    })
    return json(200, { jsonrpc: '2.0', id, error: { code: NOT_ALLOWED, message: WORDS } })
  }
}

const unreadable = (): Answer =>
  json(400, { error: 'invalid_request', error_description: UNREADABLE })

const REPLACED = new Set(['content-type', 'content-encoding'])

/**
 * The header lines of a judged request for the server: it has to read the body as we read it, so it gets our word on the
 * type, under no other spelling of the name either.
 */
export const asJudged = (
  headers: readonly string[],
  { hasBody }: { readonly hasBody: boolean },
): readonly string[] => [
  ...filterHeaders(headers, (name) => !REPLACED.has(canonicalName(name))),
  // Some servers refuse a type without a body.
  ...(hasBody ? ['Content-Type', 'application/json'] : []),
]

function json(status: number, value: object): Answer {
  const body = JSON.stringify(value)
  const length = String(Buffer.byteLength(body))
  return {
    status,
    headers: [
      ...['Content-Type', 'application/json', 'Cache-Control', 'no-store'],
      ...['Content-Length', length],
    ],
    body,
  }
}

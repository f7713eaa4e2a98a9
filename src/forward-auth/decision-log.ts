/**
 * One line a decision. Allowed checks, plain challenges and ways to the login are everyday traffic and only logged at
 * `debug`; a refusal somebody may have to look into is logged with its reason in words. Never a token, never a query.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Checked } from './check.ts'

/** @param started `performance.now()` when the request was taken up */
export function logDecision(
  log: Logger,
  request: FastifyRequest,
  checked: Checked,
  started: number,
): void {
  const { status } = checked.answer
  const everyday = status === 200 || status === 302 || status === 401
  if (everyday && !log.isLevelEnabled('debug')) return
  const line = {
    requestId: request.id,
    status,
    user: checked.verified?.person.email ?? checked.verified?.sub,
    resource: checked.match?.resource.id,
    method: checked.method,
    mcp: mcpCall(request),
    reason: checked.reason,
    ms: Math.round((performance.now() - started) * 1000) / 1000,
  }
  if (everyday) log.debug(line, 'decision')
  else log.info(line, 'decision')
}

/** Method and tool of a request of MCP 2026-07-28, as its headers say. */
function mcpCall({ headers }: FastifyRequest): string | undefined {
  const words = [headers['mcp-method'], headers['mcp-name']].filter(
    (word) => typeof word === 'string' && /^[\x21-\x7e]{1,128}$/.test(word),
  )
  return words.length > 0 ? words.join(' ') : undefined
}

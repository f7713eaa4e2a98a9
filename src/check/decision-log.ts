/**
 * One line a decision. Allowed checks, plain challenges and ways to the login are everyday traffic and only logged at
 * `debug`; a refusal somebody may have to look into is logged with its reason in words. Never a token, never a query.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import type { Checked } from './check.ts'

/** @param decision `started`: `performance.now()` when the request was taken up */
export function logDecision(
  log: Logger,
  decision: {
    readonly request: IncomingMessage
    readonly requestId: string
    readonly outcome: Checked
    readonly started: number
  },
): void {
  const { request, requestId, outcome, started } = decision
  const { status } = outcome.answer
  const everyday = status === 200 || status === 302 || status === 401
  if (everyday && !log.isLevelEnabled('debug')) return
  const line = {
    requestId,
    status,
    user: outcome.verified?.person.email ?? outcome.verified?.sub,
    resource: outcome.match?.resource.id,
    method: outcome.method,
    mcp: mcpCall(request),
    reason: outcome.reason,
    ms: Math.round((performance.now() - started) * 1000) / 1000,
  }
  if (everyday) log.debug(line, 'decision')
  else log.info(line, 'decision')
}

/** Method and tool of a request of MCP 2026-07-28, as its headers say. */
function mcpCall({ headers }: IncomingMessage): string | undefined {
  const words = [headers['mcp-method'], headers['mcp-name']].filter(
    (word) => typeof word === 'string' && /^[\x21-\x7e]{1,128}$/.test(word),
  )
  return words.length > 0 ? words.join(' ') : undefined
}

/**
 * Logs each decision on one line. Allowed checks, plain challenges and redirects to the login are routine and are
 * logged at `debug` only; a refusal that somebody may have to look into is logged with its reason in words. No line has
 * a token or a query.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import type { Checked } from './check.ts'

/** @param decision `started`: `performance.now()` when the request arrived */
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
  const routine = status === 200 || status === 302 || status === 401
  if (routine && !log.isLevelEnabled('debug')) return
  const line = {
    requestId,
    status,
    user: outcome.verified?.person.email ?? outcome.verified?.sub,
    resource: outcome.match?.resource.id,
    method: outcome.method,
    mcp: mcpCall(request),
    reason: outcome.reason,
    ...outcome.unknown,
    ms: Math.round((performance.now() - started) * 1000) / 1000,
  }
  if (routine) log.debug(line, 'decision')
  else log.info(line, 'decision')
}

/** The method and tool of a request of MCP 2026-07-28, from its headers. */
function mcpCall({ headers }: IncomingMessage): string | undefined {
  const words = [headers['mcp-method'], headers['mcp-name']].filter(
    (word) => typeof word === 'string' && /^[\x21-\x7e]{1,128}$/.test(word),
  )
  return words.length > 0 ? words.join(' ') : undefined
}

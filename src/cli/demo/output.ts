/**
 * The texts of the demo: the banner, and a short line for each decision in Gatewarden's log.
 *
 * @module
 */
import { z } from 'zod'
import type { EventName } from '../../events.ts'
import { clientLines, listTools } from '../../pages/client-lines.ts'

export interface Ready {
  readonly seconds: number
  readonly mcpUrl: string
  /** The proxy in front, such as "behind Traefik 3.7.15". */
  readonly front: string
  readonly user: string
  readonly password: string
  /** The folder of the demo's data, as a person would type it. */
  readonly folder: string
  readonly colour: boolean
}

type Paint = (text: string) => string

function painter(on: boolean): { bold: Paint; dim: Paint; green: Paint; red: Paint } {
  const with_ = (code: number) => (text: string) => (on ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { bold: with_(1), dim: with_(2), green: with_(32), red: with_(31) }
}

/** The text that a person sees when everything runs. */
export function banner(ready: Ready): string {
  const { bold, dim, green } = painter(ready.colour)
  const url = ready.mcpUrl
  const [claude] = clientLines({ name: 'demo', url })
  return `
  ${green('Gatewarden demo is ready')} ${dim(`(${ready.seconds.toFixed(1)} s)`)}

  MCP server   ${bold(url)}
               ${dim(ready.front)}
  Sign in as   ${bold(ready.user)}
  Password     ${bold(ready.password)}

  ${dim('Open in a browser: what runs, and what to paste into which client')}
  ${new URL(url).origin}/

  ${dim('See the challenge')}
  curl -i ${url}

  ${dim('Use it from Claude Code, then sign in (or /mcp inside it)')}
${(claude?.lines ?? []).map((line) => `  ${line}`).join('\n')}

  ${dim('List its tools')}
  ${listTools(url)}

  ${dim('Ctrl-C stops everything.')}
  ${dim(`Data and log stay in ${ready.folder} (remove it to start over).`)}
`
}

/** The events that a person at the demo wants to see. */
const Line = z.object({
  event: z.enum([
    'decision',
    'signed-in',
    'sign-in-failed',
    'provider-failed',
    'person-refused',
    'token-refused',
    'address-unknown',
    'request-refused',
    'unavailable',
    'request-failed',
    'upstream-failed',
  ] satisfies readonly EventName[]),
  msg: z.string(),
  requestId: z.string().optional(),
  status: z.number().optional(),
  user: z.string().optional(),
  mcp: z.string().optional(),
  method: z.string().optional(),
  reason: z.string().optional(),
  ms: z.number().optional(),
})

/**
 * The short line for a line of the log; undefined if it is of no interest here. A refusal ends with the number that the
 * error page shows.
 */
export function eventLine(logLine: string, colour: boolean): string | undefined {
  const parsed = Line.safeParse(parseJson(logLine))
  if (!parsed.success) return undefined
  const { event, msg, status, user, mcp, method, reason, ms, requestId } = parsed.data
  const { green, red, dim } = painter(colour)
  const number = requestId === undefined ? undefined : dim(requestId)
  if (event !== 'decision') {
    const paint = event === 'signed-in' ? green : red
    return `  ${paint(msg)} ${[user, reason, number].filter(Boolean).join(' ')}`
  }
  if (status === undefined) return undefined
  if (status < 300) {
    const time = ms === undefined ? undefined : dim(`${ms.toFixed(1)} ms`)
    // Before revision 2026-07-28, clients do not name their call in a header.
    return `  ${green(String(status))} ${[user, mcp ?? method, time].filter(Boolean).join(' ')}`
  }
  // The first answer to every client: nothing is wrong.
  if (reason === 'no token') return `  ${dim(`${status} no token: asked to sign in`)}`
  if (user !== undefined && reason?.startsWith('a browser opened')) {
    return `  ${green('page')} ${[user, reason].join(' ')}`
  }
  // Every other refusal has an event of its own.
  return undefined
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/**
 * The texts of the demo: the banner, and a short line for each decision in Gatewarden's log.
 *
 * @module
 */
import { z } from 'zod'

export interface Ready {
  readonly seconds: number
  readonly mcpUrl: string
  /** The proxy in front, such as "behind Traefik 3.7.15". */
  readonly front: string
  readonly user: string
  readonly password: string
  /** The folder of the demo's data, as a person would type it. */
  readonly folder: string
  /** The version of this Node: [22, 19]. */
  readonly node: readonly [major: number, minor: number]
  readonly colour: boolean
}

type Paint = (text: string) => string

function painter(on: boolean): { bold: Paint; dim: Paint; green: Paint; red: Paint } {
  const with_ = (code: number) => (text: string) => (on ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { bold: with_(1), dim: with_(2), green: with_(32), red: with_(31) }
}

/** The text that a person sees when everything runs. It names only clients that run on this Node. */
export function banner(ready: Ready): string {
  const { bold, dim, green } = painter(ready.colour)
  const [major, minor] = ready.node
  const inspector = major > 22 || (major === 22 && minor >= 19)
  const url = ready.mcpUrl
  const tool = inspector
    ? `Use the Inspector     npx @modelcontextprotocol/inspector --cli ${url} --method tools/list`
    : `List its tools        npx mcp-remote-client ${url}`
  return `
  ${green('Gatewarden demo is ready')} ${dim(`(${ready.seconds.toFixed(1)} s)`)}

  MCP server   ${bold(url)}      ${dim(ready.front)}
  Sign in as   ${bold(ready.user)}
  Password     ${bold(ready.password)}

  See the challenge     curl -i ${url}
  Use it from Claude    claude mcp add --transport http demo ${url}
  ${tool}

  ${dim(`Ctrl-C stops everything. Data stays in ${ready.folder} (remove it to start over).`)}
`
}

const Decision = z.object({
  msg: z.literal('decision'),
  status: z.number(),
  user: z.string().optional(),
  mcp: z.string().optional(),
  method: z.string().optional(),
  reason: z.string().optional(),
  ms: z.number().optional(),
})

/** The short line for a line of the log; undefined if that line is no decision. */
export function decisionLine(logLine: string, colour: boolean): string | undefined {
  const parsed = Decision.safeParse(parseJson(logLine))
  if (!parsed.success) return undefined
  const { status, user, mcp, method, reason, ms } = parsed.data
  const { green, red, dim } = painter(colour)
  const allowed = status < 300
  const time = allowed && ms !== undefined ? dim(`${ms.toFixed(1)} ms`) : undefined
  // Before revision 2026-07-28, clients do not name their call in a header.
  const call = mcp ?? (allowed ? method : undefined)
  const words = [user, call, allowed ? undefined : reason, time].filter(Boolean)
  return `  ${(allowed ? green : red)(String(status))} ${words.join(' ')}`
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/**
 * The command line of `gatewarden token`.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { isLoopbackHost, urlOf } from '../../config/values/urls.ts'

export interface TokenOptions {
  /** The MCP server. */
  readonly url: URL
  /** Absent: the server says which it needs. */
  readonly scope?: string
  /** Absent: the command registers a client. */
  readonly clientId?: string
  readonly json: boolean
}

/** @throws Error with a message for the person who typed the command */
export function parseTokenOptions(args: readonly string[]): TokenOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: 'string' },
      scope: { type: 'string', multiple: true },
      'client-id': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const { 'client-id': clientId, json } = values
  if (values.url === undefined) throw new Error('--url is missing: give the address of the server.')
  const scope = (values.scope ?? []).join(' ').replaceAll(',', ' ').trim()
  return {
    url: parseUrl(values.url),
    json,
    ...(scope !== '' && { scope }),
    ...(clientId !== undefined && { clientId }),
  }
}

/** Plain http would show the token to the whole network, so it is for this machine alone. */
function parseUrl(text: string): URL {
  const url = urlOf(text)
  if (url && url.username === '' && url.password === '' && url.hash === '') {
    if (url.protocol === 'https:') return url
    if (url.protocol === 'http:' && isLoopbackHost(url.hostname)) return url
  }
  throw new Error(
    `--url: "${text}" is not an https address. Write it like https://mcp.example.com/mcp; http works on this machine only.`,
  )
}

/**
 * Gatewarden as the proxy of a small upstream server, with ann signed in, over real sockets.
 *
 * @module
 */
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen, type RawAnswer } from '../support/raw-http.ts'

const first = await buildTestApp({ resources: [resource({ allow: ANYONE })] })
const { tokens } = await obtainTokens(first.app)

/** A good token for `https://mcp.example.com/notes/mcp`. */
export const TOKEN = tokens.access_token
export const CREDENTIAL = `Authorization: Bearer ${TOKEN}`

export type Changes = Parameters<typeof first.restart>[0]

export interface Gateway {
  readonly port: number
  readonly logs: readonly Record<string, unknown>[]
  /** Sends one request with the credential and reads the answer. */
  ask(
    line: string,
    options?: { headers?: readonly string[]; body?: string | Buffer; host?: string },
  ): Promise<RawAnswer>
}

/**
 * Opens a gateway before an upstream.
 * @param upstream the URL configured for the resource
 */
export async function openGateway(upstream: string, changes: Changes = {}): Promise<Gateway> {
  const resources = [resource({ allow: ANYONE, upstream })]
  const { app, logs } = await first.restart({ resources, ...changes })
  const port = await listen(app)
  return {
    port,
    logs,
    ask: (line, { headers = [], body = '', host = 'mcp.example.com' } = {}) =>
      exchange(
        port,
        [
          `${line} HTTP/1.1`,
          `Host: ${host}`,
          CREDENTIAL,
          ...(body.length > 0 && !headers.some((header) => /^transfer-encoding/i.test(header))
            ? [`Content-Length: ${body.length}`]
            : []),
          ...headers,
        ],
        body,
      ),
  }
}

/**
 * The options for running any reverse proxy with our shipped files.
 *
 * @module
 */
import { request } from 'node:http'
import { request as requestTls } from 'node:https'

export interface ProxyOptions {
  /** Path of the program. */
  readonly binary: string
  /** The folder of the shipped files that are filled in, below the root; the usual one if absent. */
  readonly files?: string
  /** The folder for the filled-in files; created if absent. */
  readonly folder: string
  readonly port: number
  /** Addresses to listen on: `127.0.0.1`, `[::1]`. */
  readonly addresses: readonly string[]
  /** Host of PUBLIC_URL, without port. */
  readonly gatewayHost: string
  /** Host of the MCP server as clients name it, without port. */
  readonly resourceHost: string
  /** `host:port` of Gatewarden. */
  readonly gatewarden: string
  /** `host:port` of the MCP server. */
  readonly upstream: string
  /** Paths of a certificate and its key: listen with TLS. */
  readonly certificate?: { readonly certFile: string; readonly keyFile: string }
}

/**
 * Sends a GET to the proxy's first address.
 * @param name the host of the request
 * @returns the body of the answer with any status; undefined if there is no answer
 */
export function probe(
  { addresses, port, certificate }: ProxyOptions,
  { path, name, authority = name }: { path: string; name: string; authority?: string },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = (certificate ? requestTls : request)({
      host: (addresses[0] ?? '127.0.0.1').replace(/[[\]]/g, ''),
      port,
      path,
      headers: { host: authority },
      ...(certificate && { rejectUnauthorized: false, servername: name }),
      timeout: 2_000,
    })
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => resolve(undefined))
    sent.on('response', (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      answer.on('end', () => resolve(body))
    })
    sent.end()
  })
}

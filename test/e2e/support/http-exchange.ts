/**
 * Sends an HTTP request with exactly the given headers; `fetch` adds and forbids some.
 *
 * @module
 */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { request as requestTls } from 'node:https'

export interface Exchange {
  readonly url: URL
  readonly status: number
  /** Headers by names in lower case; several lines of a name are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly setCookies: readonly string[]
  readonly body: string
}

export interface ExchangeOptions {
  readonly method?: string
  /** A list is sent as several lines. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
  /** The exact request target, if it differs from that of the URL. */
  readonly path?: string
}

/**
 * Sends a request and reads the whole answer. Follows no redirect, and accepts any certificate: these servers are ours.
 */
export async function exchange(url: URL, options: ExchangeOptions = {}): Promise<Exchange> {
  const send = url.protocol === 'https:' ? requestTls : request
  const outgoing = send(url, {
    method: options.method ?? 'GET',
    ...(options.path !== undefined && { path: options.path }),
    headers: { connection: 'close', ...options.headers },
    ...(url.protocol === 'https:' && { rejectUnauthorized: false }),
    signal: AbortSignal.timeout(20_000),
  })
  outgoing.end(options.body)
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  const chunks: string[] = []
  for await (const chunk of incoming.setEncoding('utf8')) chunks.push(String(chunk))
  const headers = Object.entries(incoming.headersDistinct).map(([name, lines]) => [
    name,
    lines?.join(', ') ?? '',
  ])
  return {
    url,
    status: incoming.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    setCookies: incoming.headers['set-cookie'] ?? [],
    body: chunks.join(''),
  }
}

/**
 * The requests that the tests of edge auth make.
 *
 * @module
 */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Config } from '../../src/config/config.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'

export const CONNECT = '/auth/connect?callback_port=49152&code=K7M-2QXA'
/** The only protected host. */
export const HOST = 'mcp.example.com'

export const buildEdgeApp = (changes: Partial<Config> = {}): Promise<TestApp> =>
  buildTestApp({ edgeAuth: true, ...changes })

/** Opens an address on the protected host as a person's tab does. */
export function open(
  app: FastifyInstance,
  url: string,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  return app.inject({
    url,
    headers: {
      host: HOST,
      accept: 'text/html,application/xhtml+xml',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-site': 'none',
      ...headers,
    },
  })
}

/** Asks as a program without a browser. */
export function ask(
  app: FastifyInstance,
  url: string,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  return app.inject({ url, headers: { host: HOST, accept: '*/*', ...headers } })
}

/** Asks about a WebSocket handshake as Traefik does. */
export function askTunnel(
  app: FastifyInstance,
  headers: Record<string, string> = {},
  options: { readonly method?: 'GET' | 'POST'; readonly url?: string } = {},
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: options.method ?? 'GET',
    url: options.url ?? '/_ws_tunnel',
    headers: {
      host: 'gatewarden:11000',
      'x-forwarded-method': 'GET',
      'x-forwarded-proto': 'wss',
      'x-forwarded-host': HOST,
      'x-forwarded-uri': '/_ws_tunnel',
      'sec-websocket-version': '13',
      ...headers,
    },
  })
}

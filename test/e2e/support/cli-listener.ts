/**
 * The part of a command line that waits for a browser's session. It checks origin and code strictly, as OpenShell does.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface CliListener {
  readonly port: number
  /** The code in the terminal. */
  readonly code: string
  /** The address that the command line opens in a browser. */
  readonly url: string
  /** Method, content type and `Origin` of every request to the callback. */
  readonly requests: readonly string[]
  /** The session, once the listener has accepted one. */
  readonly token: Promise<string>
  close(): Promise<void>
}

/**
 * @param gateway the origin of the gateway, the only one that may post
 * @param refuse if given, every request is refused with this text
 */
export async function startCliListener(gateway: string, refuse?: string): Promise<CliListener> {
  const code = 'K7M-2QXA'
  const requests: string[] = []
  let accept: (token: string) => void = () => undefined
  const token = new Promise<string>((resolve) => {
    accept = resolve
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url !== '/callback') return void response.writeHead(404).end()
    const { origin, 'content-type': type = '' } = request.headers
    requests.push([request.method, type, origin].filter(Boolean).join(' '))
    if (origin !== gateway) return void response.writeHead(403).end()
    response.setHeader('Access-Control-Allow-Origin', gateway)
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', 'POST')
      response.setHeader('Access-Control-Allow-Headers', 'content-type')
      response.setHeader('Access-Control-Allow-Private-Network', 'true')
      return void response.writeHead(204).end()
    }
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    const posted: unknown = JSON.parse(body)
    const error = refuse ?? problem(posted)
    if (error === undefined && isDelivery(posted)) accept(posted.token)
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify(error === undefined ? { ok: true } : { ok: false, error }))
  }
  const problem = (posted: unknown) =>
    isDelivery(posted) && posted.code === code ? undefined : 'this is not the code that was shown'

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return {
    port: address.port,
    code,
    url: `${gateway}/auth/connect?callback_port=${address.port}&code=${code}`,
    requests,
    token,
    async close() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function isDelivery(posted: unknown): posted is { token: string; code: string } {
  return (
    typeof posted === 'object' &&
    posted !== null &&
    'token' in posted &&
    typeof posted.token === 'string' &&
    'code' in posted
  )
}

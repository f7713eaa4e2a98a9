/**
 * Stands in for a protected server, so that `gatewarden doctor` sees the headers that reach it. It keeps those of the
 * doctor's own requests alone, and shows them to nobody.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { ConfigError } from '../../config/values/problem.ts'

/** Marks the doctor's own requests. */
export const MARK_HEADER = 'x-gatewarden-doctor'

export interface Echo {
  readonly port: number
  /** Takes the headers of the last marked request, a line each; undefined if none came since. */
  take(mark: string): string | undefined
  close(): void
}

/** @throws ConfigError if the port is taken */
export async function startEcho(port: number): Promise<Echo> {
  const received = new Map<string, string>()
  const server = createServer(({ headers, rawHeaders }, response) => {
    const mark = headers[MARK_HEADER]
    if (typeof mark !== 'string') {
      response.writeHead(503, { 'retry-after': '120' }).end('gatewarden doctor is at work here\n')
      return
    }
    const lines = rawHeaders.map((text, index) => text + (index % 2 === 0 ? ': ' : '\n'))
    received.set(mark, lines.join(''))
    response.end('gatewarden doctor\n')
  })
  try {
    await once(server.listen(port), 'listening')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new ConfigError([`--echo: cannot listen on port ${port} (${code}). Choose another port.`])
  }
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    take(mark) {
      const lines = received.get(mark)
      received.delete(mark)
      return lines
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

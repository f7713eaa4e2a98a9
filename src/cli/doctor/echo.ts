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
  /** Keeps the headers of requests with this mark alone from now on. */
  expect(mark: string): void
  /** Takes the headers of the last request with the mark, a line each; undefined if none came since. */
  take(mark: string): string | undefined
  close(): void
}

/** @throws ConfigError if the port is taken */
export async function startEcho(port: number): Promise<Echo> {
  // Others can reach the port too: their requests must not fill the memory.
  let expected: { readonly mark: string; lines?: string } | undefined
  const server = createServer(({ headers, rawHeaders }, response) => {
    const mark = headers[MARK_HEADER]
    if (expected === undefined || mark !== expected.mark) {
      response.writeHead(503, { 'retry-after': '120' }).end('gatewarden doctor is at work here\n')
      return
    }
    const lines = rawHeaders.map((text, index) => text + (index % 2 === 0 ? ': ' : '\n'))
    expected.lines = lines.join('')
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
    expect(mark) {
      expected = { mark }
    },
    take: (mark) => (expected?.mark === mark ? expected.lines : undefined),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

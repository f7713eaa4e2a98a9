/**
 * Joins the connections of a client and of a server after a WebSocket handshake: bytes go both ways until either side
 * ends, or none has come for the idle time.
 *
 * @module
 */
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

const SWITCHING = 101

/** The header lines by which both sides leave HTTP; they are never passed on as they came. */
export const UPGRADE_LINES: readonly string[] = ['Upgrade', 'websocket', 'Connection', 'Upgrade']

/**
 * @param response the response to the handshake; nothing of it was sent. It closes with its connection
 * @param options `headers`: a flat list of names and values in Latin-1, as parsed; `idleMs`: 0 is no limit
 */
export function openTunnel(
  response: ServerResponse,
  server: Duplex,
  { headers, idleMs }: { readonly headers: readonly string[]; readonly idleMs: number },
): void {
  const client = response.socket
  server.on('error', () => server.destroy())
  if (!client || client.destroyed) {
    server.destroy()
    return
  }
  client.setTimeout(idleMs, () => client.destroy())
  // Not by `writeHead`: an answer of HTTP has no content of this kind.
  client.write(headOf(headers), 'latin1')
  join(client, server)
  join(server, client)
}

function headOf(headers: readonly string[]): string {
  let head = `HTTP/1.1 ${SWITCHING} ${STATUS_CODES[SWITCHING]}\r\n`
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${head}\r\n`
}

function join(from: Duplex, to: Duplex): void {
  from.pipe(to)
  // The last bytes still go out.
  from.once('close', () => {
    if (to.destroyed) return
    to.once('finish', () => to.destroy())
    if (to.writableFinished) to.destroy()
    else to.end()
  })
}

/**
 * WebSocket handshakes by hand; they read only the first answer.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'

const KEY = 'c2l4dGVlbiBieXRlcyBvayE='
const ACCEPT = createHash('sha1')
  .update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest('base64')

/** The server's side: accepts every handshake of {@link openWebSocket}. */
export function acceptWebSocket(socket: Duplex): void {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`,
  )
}

/**
 * The client's side.
 * @returns the status (101: the connection opened, and is closed again) and the body of a refusal
 */
export function openWebSocket(
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const handshake = request(url, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': KEY,
        ...headers,
      },
      timeout: 10_000,
    })
    handshake.on('error', reject)
    handshake.on('timeout', () => handshake.destroy(new Error('no answer to the handshake')))
    handshake.on('upgrade', (answer, socket) => {
      socket.destroy()
      resolve({ status: answer.statusCode ?? 0, body: '' })
    })
    handshake.on('response', (answer: IncomingMessage) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
    handshake.end()
  })
}

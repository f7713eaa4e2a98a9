/**
 * HTTP byte by byte over loopback sockets, for faults that a client library would correct: doubled lines, odd bytes,
 * half a body, a client that leaves.
 *
 * @module
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { afterTest } from './clean-ups.ts'
// Its clean-up is registered before ours and so runs after it: an app that closes waits for open connections.
import './build-app.ts'

export interface RawAnswer {
  readonly status: number
  /** Names and values, line by line, as they came. */
  readonly lines: readonly (readonly [name: string, value: string])[]
  /** Every value of a header, names compared without regard to case. */
  values(name: string): string[]
  readonly body: string
  /** False if the connection ended before the length that the head announced. */
  readonly complete: boolean
}

export interface RawConnection {
  readonly socket: Socket
  send(bytes: string | Buffer): void
  /** Everything received so far, once it matches. Rejects if the connection ends first. */
  until(pattern: RegExp): Promise<string>
  /** Everything received, once the connection has ended, in whatever way. */
  ended(): Promise<string>
  /** Cuts the connection, as a client that goes away does. */
  leave(): void
}

/** Has the app listen on a free loopback port. */
export async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}

/** Opens a connection, which is cut after the test. */
export async function open(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1' })
  afterTest(() => socket.destroy())
  let received = ''
  let over = false
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    received += String(chunk)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    over = true
  })
  await once(socket, 'connect')
  return {
    socket,
    send: (bytes) => void socket.write(bytes, 'latin1'),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(received)) resolve(received)
          else if (over) reject(new Error(`the connection ended after: ${received}`))
        }
        socket.on('data', look)
        socket.on('close', look)
        look()
      }),
    ended: () =>
      new Promise((resolve) => {
        if (over) resolve(received)
        else socket.once('close', () => resolve(received))
      }),
    leave: () => void socket.destroy(),
  }
}

/**
 * Sends one request and reads the answer until the connection ends.
 * @param head request line and header lines; `Connection: close` is added
 */
export async function exchange(
  port: number,
  head: readonly string[],
  body: string | Buffer = '',
): Promise<RawAnswer> {
  const connection = await open(port)
  connection.send(`${[...head, 'Connection: close'].join('\r\n')}\r\n\r\n`)
  if (body.length > 0) connection.send(body)
  return parseAnswer(await connection.ended())
}

/** The last answer in `text`: interim ones before it are skipped. */
export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) throw new Error(`no answer in ${JSON.stringify(text)}`)
  const [statusLine = '', ...rest] = text.slice(0, end).split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  const after = text.slice(end + 4)
  if (status < 200) return parseAnswer(after)
  const lines = rest.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
  })
  const values = (name: string) =>
    lines.filter(([known]) => known.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  const length = values('content-length')[0]
  const chunked = values('transfer-encoding').includes('chunked')
  const { body, complete } = chunked
    ? dechunk(after)
    : { body: after, complete: length === undefined || after.length === Number(length) }
  return { status, lines, values, body, complete }
}

function dechunk(text: string): { body: string; complete: boolean } {
  let rest = text
  let body = ''
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/i.exec(rest)
    if (!size) return { body, complete: false }
    const length = Number.parseInt(size[1] ?? '', 16)
    if (length === 0) return { body, complete: true }
    body += rest.slice(size[0].length, size[0].length + length)
    rest = rest.slice(size[0].length + length + 2)
  }
}

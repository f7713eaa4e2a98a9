/**
 * A name server on loopback that answers each question as a test says, also differently each time.
 *
 * @module
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4 } from 'node:net'
import { afterTest } from './clean-ups.ts'

export interface DnsServer {
  /** For `setServers`. */
  readonly address: string
  /** The questions: `A name` or `AAAA name`, in order. */
  readonly asked: readonly string[]
}

const TYPES: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA' }

/**
 * @param answers the addresses of a name, for its nth question of a type; `undefined` is no answer at all
 */
export async function startDnsServer(
  answers: (name: string, type: string, nth: number) => readonly string[] | undefined,
): Promise<DnsServer> {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query, peer) => {
    const { name, type, end } = questionOf(query)
    const question = `${type} ${name}`
    asked.push(question)
    const addresses = answers(name, type, asked.filter((one) => one === question).length)
    if (addresses)
      socket.send(responseTo(query.subarray(0, end), addresses), peer.port, peer.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  afterTest(() => socket.close())
  return { address: `127.0.0.1:${socket.address().port}`, asked }
}

function questionOf(query: Buffer): { name: string; type: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.'), type: TYPES[query.readUInt16BE(at + 1)] ?? '?', end: at + 5 }
}

/** The question with its answers (RFC 1035 section 4.1), each for the name at offset 12. */
function responseTo(question: Buffer, addresses: readonly string[]): Buffer {
  const head = Buffer.from(question)
  head.writeUInt16BE(0x8180, 2)
  head.writeUInt16BE(addresses.length, 6)
  head.writeUInt32BE(0, 8)
  const records = addresses.map((address) => {
    const data = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address)
    const fixed = Buffer.from([
      0xc0,
      12,
      0,
      data.length === 4 ? 1 : 28,
      0,
      1,
      0,
      0,
      0,
      0,
      0,
      data.length,
    ])
    return Buffer.concat([fixed, data])
  })
  return Buffer.concat([head, ...records])
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::')
  const words = (part = '') => part.split(':').filter(Boolean)
  const missing = 8 - words(head).length - words(tail).length
  const all = [...words(head), ...Array<string>(missing).fill('0'), ...words(tail)]
  return Buffer.from(
    all.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255]),
  )
}

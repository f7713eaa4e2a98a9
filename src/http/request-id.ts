/**
 * The number of a request, which its answer, its page and its log lines have in common. A proxy that is trusted may bring
 * a number of its own; from anybody else it could be made to look like that of another request.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { randomToken } from '../crypto.ts'

/** The header of every answer, and of a proxy that numbers requests. */
export const REQUEST_ID = 'X-Request-Id'

const NAME = REQUEST_ID.toLowerCase()
/** Numbers as proxies make them, UUIDs among them; nothing that a log or a page could read as more than that. */
const SHAPE = /^[A-Za-z0-9._-]{1,64}$/

/**
 * Numbers requests by a random prefix of this process and a count: the numbers reveal nothing and are unique across
 * processes. The number of a trusted proxy counts instead if it comes on a single line and is plain and short.
 */
export function createRequestIds(
  isTrustedProxy: (address: string | undefined) => boolean,
): (request: Pick<IncomingMessage, 'rawHeaders' | 'socket'>) => string {
  const prefix = randomToken(6)
  let count = 0
  return ({ rawHeaders, socket }) => {
    const given = onlyLine(rawHeaders)
    return given !== undefined && SHAPE.test(given) && isTrustedProxy(socket.remoteAddress)
      ? given
      : `${prefix}-${(++count).toString(36)}`
  }
}

/** The value of the header, if it is there once. Every check comes here, so nothing is allocated. */
function onlyLine(rawHeaders: readonly string[]): string | undefined {
  let value: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length !== NAME.length || name.toLowerCase() !== NAME) continue
    if (value !== undefined) return undefined
    value = rawHeaders[i + 1]
  }
  return value
}

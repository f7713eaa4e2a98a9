/**
 * JSON answers.
 *
 * @module
 */
import type { FastifyReply } from 'fastify'

/**
 * Sends JSON as exactly `application/json`: Fastify adds a charset to strings and objects, which RFC 8259 section 11
 * does not define and the Go SDK 1.0 refuses.
 */
export function sendJson(
  reply: FastifyReply,
  body: Readonly<Record<string, unknown>>,
): FastifyReply {
  return reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(body)))
}

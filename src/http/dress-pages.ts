/**
 * Gives each page that a route sends the operator's look, in one place, so that no route can forget it.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { Brand } from '../pages/brand.ts'
import { DOCUMENT } from '../pages/layout.ts'

const POLICY = 'content-security-policy'

/** @param app the root scope, before its routes. Answers of protected servers do not come this way. */
export function dressPages(
  app: FastifyInstance,
  brand: Pick<Brand, 'dress' | 'dressPolicy'>,
): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (typeof payload !== 'string' || !payload.startsWith(DOCUMENT)) return done(null, payload)
    const policy = reply.getHeader(POLICY)
    if (typeof policy === 'string') reply.header(POLICY, brand.dressPolicy(policy))
    done(null, brand.dress(payload))
  })
}

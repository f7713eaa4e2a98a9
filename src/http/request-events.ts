/**
 * Lets a route emit an event of its request: `request.report({ event: ... })`. The number of the request and the address
 * of the client are filled in here, so that no route forgets them.
 *
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Events, GatewayEvent, RequestEvent } from '../events.ts'
import type { ClientAddress } from './client-address.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Emits an event of this request. */
    report(event: RequestEvent): void
  }
}

/** Gives each request of the server its `report`. */
export function reportFromRequests(
  app: FastifyInstance,
  { events, clientAddress }: { readonly events: Events; readonly clientAddress: ClientAddress },
): void {
  app.decorateRequest('report', function report(this: FastifyRequest, event: RequestEvent) {
    if (!events.wants(event.event)) return
    const address = clientAddress(this.raw) || undefined
    // The two added fields are what `RequestEvent` leaves out of the event's own type.
    events.emit({ ...event, requestId: this.id, address } as GatewayEvent)
  })
}

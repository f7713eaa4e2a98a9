import { createEvents, type Events, type GatewayEvent } from '../../src/events.ts'

/** A sink that keeps every event. */
export function recordEvents(): Events & { readonly emitted: GatewayEvent[] } {
  const emitted: GatewayEvent[] = []
  const events = createEvents([{ wants: () => true, take: (event) => void emitted.push(event) }])
  return { ...events, emitted }
}

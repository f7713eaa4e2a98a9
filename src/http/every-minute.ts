/**
 * Repeats a task while a server is open.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { Events } from '../events.ts'

/** @param options `task`: if it fails, an event says so, and it runs again a minute later; `name`: what the event calls it */
export function everyMinute(
  app: FastifyInstance,
  { task, name, events }: { task: () => Promise<void>; name: string; events: Events },
): void {
  const timer = setInterval(() => {
    task().catch((error: unknown) => events.emit({ event: 'task-failed', task: name, err: error }))
  }, 60_000)
  timer.unref()
  app.addHook('onClose', async () => clearInterval(timer))
}

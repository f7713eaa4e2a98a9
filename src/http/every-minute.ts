/**
 * Repeats a task while a server is open.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'

/** @param task if it fails, the log gets the line `failed`, and the task runs again a minute later */
export function everyMinute(
  app: FastifyInstance,
  { task, failed, log }: { task: () => Promise<void>; failed: string; log: Logger },
): void {
  const timer = setInterval(() => {
    task().catch((error: unknown) => log.warn({ err: error }, failed))
  }, 60_000)
  timer.unref()
  app.addHook('onClose', async () => clearInterval(timer))
}

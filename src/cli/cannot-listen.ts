/**
 * What to tell an operator whose port cannot be listened on.
 *
 * @module
 */
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/values/problem.ts'

/** @param error what listening failed with */
export function cannotListen({ host, port }: Config['listen'], error: unknown): ConfigError {
  const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return new ConfigError([
    `PORT: cannot listen on ${host}:${port} (${why}). Stop what uses it, or choose another port.`,
  ])
}

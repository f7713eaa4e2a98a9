/**
 * The problem that an operator reads if the process cannot listen on its port.
 *
 * @module
 */
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/values/problem.ts'
import { hostAndPort } from './listen-host.ts'

/** @param error the error of listening */
export function cannotListen({ host, port }: Config['listen'], error: unknown): ConfigError {
  const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return new ConfigError([
    `PORT: cannot listen on ${hostAndPort(host, port)} (${why}). Stop the program that uses it, or choose another port.`,
  ])
}

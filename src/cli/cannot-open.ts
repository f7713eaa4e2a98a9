/**
 * Says why a store cannot be opened.
 *
 * @module
 */
import { ConfigError } from '../config/values/problem.ts'

/** The problem that an error of opening the store means. */
export function cannotOpen(error: unknown): ConfigError {
  return new ConfigError([`DATA_DIR: ${error instanceof Error ? error.message : String(error)}`])
}

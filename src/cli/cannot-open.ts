/**
 * The problem that an operator reads if the store cannot be opened.
 *
 * @module
 */
import { ConfigError } from '../config/values/problem.ts'

/** @param error the error of opening the store */
export function cannotOpen(error: unknown): ConfigError {
  return new ConfigError([`DATA_DIR: ${error instanceof Error ? error.message : String(error)}`])
}

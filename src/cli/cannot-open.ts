/**
 * The problems that an operator reads if the store cannot be opened, or must not be used.
 *
 * @module
 */
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/values/problem.ts'
import type { StorageUnfit } from '../storage/storage.ts'

/** @param error the error of opening the store */
export function cannotOpen(error: unknown): ConfigError {
  return new ConfigError([`DATA_DIR: ${error instanceof Error ? error.message : String(error)}`])
}

/** Each problem behind the setting that names the store. */
export function unfit(
  { problems }: StorageUnfit,
  { redis }: { readonly redis?: Config['redis'] | undefined },
): ConfigError {
  const setting = redis ? 'REDIS_URL' : 'DATA_DIR'
  return new ConfigError(problems.map((problem) => `${setting}: ${problem}`))
}

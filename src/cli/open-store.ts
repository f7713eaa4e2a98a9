import type { Config } from '../config/config.ts'
import type { Events } from '../events.ts'
import { WATCHED } from '../records/records.ts'
import { openStorage } from '../storage/index.ts'
import type { Storage } from '../storage/storage.ts'
import { cannotOpen } from './cannot-open.ts'

/**
 * Opens the store that the configuration names.
 * @param options clocks in milliseconds: `now` since the epoch, `elapsed` never set back; `maxStale` in seconds
 * @throws ConfigError if it cannot be opened
 */
export async function openStore(
  { dataDir, redis: target }: Config,
  {
    now,
    ...rest
  }: {
    readonly now: () => number
    readonly elapsed: () => number
    readonly maxStale: number
    readonly events: Events
  },
): Promise<Storage> {
  const redis = target && { target, watched: WATCHED, ...rest }
  return openStorage({ dataDir, now, redis }).catch((error: unknown) => {
    throw cannotOpen(error)
  })
}

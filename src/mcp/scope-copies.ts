/**
 * The last good answer of a server about its scopes, in the store: a process that begins while the server is down still
 * knows them (decision 0071).
 *
 * @module
 */
import { sha256 } from '../crypto.ts'
import type { Records } from '../records/records.ts'
import type { AnnouncedScope } from '../resources/announced-scopes.ts'
import type { ResourceConfig } from '../resources/resource-table.ts'

/** Seconds. A server that has been away for longer is asked anew before anybody chooses. */
const LIFETIME = 30 * 86_400
const RENEW_AFTER_MS = 86_400_000

export interface ScopeCopy {
  /** The stored answer; undefined if there is none, or if the store does not answer. */
  read(): Promise<readonly AnnouncedScope[] | undefined>
  /** Stores an answer, if it is another one than before or the stored one is a day old. It never rejects. */
  write(scopes: readonly AnnouncedScope[]): Promise<void>
}

/**
 * The copy for a server, as it is configured now: another address, or another kind of scopes, has a copy of its own.
 * @param elapsed milliseconds on a clock that is never set back
 */
export function createScopeCopy(
  { id, toolChoices }: Pick<ResourceConfig, 'id' | 'toolChoices'>,
  address: string,
  {
    records,
    elapsed,
  }: { readonly records: Records['serverScopes']; readonly elapsed: () => number },
): ScopeCopy {
  const key = sha256(JSON.stringify([id, address, toolChoices ?? false]))
  let written: { readonly text: string; readonly at: number } | undefined
  return {
    async read() {
      try {
        return await records.find(key)
      } catch {
        return undefined
      }
    },
    async write(scopes) {
      const text = JSON.stringify(scopes)
      const at = elapsed()
      if (written?.text === text && at - written.at < RENEW_AFTER_MS) return
      try {
        await records.keep(key, scopes, LIFETIME)
        written = { text, at }
      } catch {
        // Without the store the next answer is a new chance.
      }
    },
  }
}

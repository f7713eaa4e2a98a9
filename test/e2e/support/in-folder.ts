/**
 * Starts programs in a folder of their own and, at the end or when one does not start, stops them in reverse order.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Place {
  /** Removed when all has ended. */
  readonly folder: string
  /** Says what ends something that was started. */
  onStop(end: () => Promise<unknown>): void
}

/** @param prefix of the folder's name */
export async function startInFolder<T>(
  prefix: string,
  start: (place: Place) => Promise<T>,
): Promise<T & { readonly folder: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), prefix))
  const ends = [() => rm(folder, { recursive: true, force: true }) as Promise<unknown>]
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    return { ...(await start({ folder, onStop: (end) => ends.push(end) })), folder, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * Starts programs in a new folder, and stops them in reverse order at the end or if a start fails.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Place {
  /** Removed after all programs have ended. */
  readonly folder: string
  /** Adds a function that stops a started program. */
  onStop(end: () => Promise<unknown>): void
}

/** @param prefix the beginning of the folder's name */
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

/**
 * Where a store under test lives: somewhere that can be opened again, also by another process.
 *
 * @module
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLmdbStorage } from '../../src/storage/lmdb.ts'
import type { Storage } from '../../src/storage/storage.ts'

type Open = (location: string, now: () => number) => Promise<Storage>

/** Every adapter that outlives its process, by the name under which a child process opens it. */
export const adapters = {
  lmdb: (location, now) => openLmdbStorage({ dir: location, now }),
} satisfies Record<string, Open>

export type AdapterName = keyof typeof adapters

/** One empty store. */
export interface Place {
  readonly adapter: AdapterName
  /** What the adapter opens: a directory, or a URL. */
  readonly location: string
  open(now: () => number): Promise<Storage>
  remove(): Promise<void>
}

/** Opens the store a child process was told of: its arguments are the adapter's name and the location. */
export async function openFromArguments(): Promise<Storage> {
  const [name, location] = process.argv.slice(2)
  const open = Object.entries(adapters).find(([adapter]) => adapter === name)?.[1]
  if (!open || !location) throw new Error('the arguments are an adapter and a location')
  return open(location, Date.now)
}

/** A fresh directory for an LMDB store. */
export function lmdbPlace(): Place {
  const directory = mkdtempSync(join(tmpdir(), 'gatewarden-store-'))
  const location = join(directory, 'store')
  return {
    adapter: 'lmdb',
    location,
    open: (now) => adapters.lmdb(location, now),
    remove: () => rm(directory, { recursive: true }),
  }
}

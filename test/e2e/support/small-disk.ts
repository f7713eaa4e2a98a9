/**
 * A disk that a test can fill: a small file system if we may mount one, else a limit on the size of files.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface SmallDisk {
  /** Fills the disk: every further write fails. */
  fill(): Promise<void>
  empty(): Promise<void>
  remove(): Promise<void>
}

interface SmallDiskOptions {
  /** Stores this number of bytes in the files on the disk, to use up their free room. */
  store(bytes: number): Promise<void>
  /** The processes that write to the disk. */
  pids(): readonly number[]
}

/** @param folder the place of the disk; created if absent */
export async function makeSmallDisk(folder: string, options: SmallDiskOptions): Promise<SmallDisk> {
  mkdirSync(folder, { recursive: true })
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', folder])
    return mounted(folder, options)
  } catch {
    return limited(options)
  }
}

function mounted(folder: string, { store }: SmallDiskOptions): SmallDisk {
  const filler = join(folder, 'filler')
  return {
    async fill() {
      const file = await open(filler, 'w')
      try {
        await untilFull((bytes) => file.write(Buffer.alloc(bytes)), [1_048_576, 4096])
      } finally {
        await file.close()
      }
      await untilFull(store, [10_000, 1000, 100])
    },
    empty: () => rm(filler),
    async remove() {
      await run('umount', ['--lazy', folder])
    },
  }
}

async function untilFull(
  write: (bytes: number) => Promise<unknown>,
  sizes: readonly number[],
): Promise<void> {
  for (const size of sizes) {
    try {
      for (;;) await write(size)
    } catch {
      // The files have no room for this many bytes.
    }
  }
}

function limited({ pids }: SmallDiskOptions): SmallDisk {
  const limit = async (bytes: string) => {
    for (const pid of pids()) await run('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:`])
  }
  return {
    // Enough for the start of an empty store, too little for its records.
    fill: () => limit('8192'),
    empty: () => limit('unlimited'),
    remove: async () => {},
  }
}

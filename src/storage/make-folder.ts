/**
 * Makes a private folder and the folders above it. Node's own recursive call never returns where the system says that
 * a folder does not exist although it does: in `/proc`, and in the folder of an automounter.
 *
 * @module
 */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** @throws the errors of `fs` */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (isFolder(path)) return
    const above = dirname(path)
    const lacksAbove = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!lacksAbove || existsSync(above)) throw error
    makeFolder(above)
    makeFolder(path)
  }
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

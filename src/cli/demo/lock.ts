/**
 * Allows a single demo per folder: a second demo would overwrite the files that the first one uses.
 *
 * @module
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Claims the folder for the lifetime of this process.
 * @throws Error with a way out, if another demo runs from the folder
 */
export function claimFolder(folder: string): void {
  const file = join(folder, 'demo.pid')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const owner = readOwner(file)
  if (owner !== undefined && owner !== process.pid && isAlive(owner)) {
    throw new Error(
      `A demo is running from ${folder} already (pid ${owner}). Stop it, or add --folder DIR for a second one. If it is not running, remove ${file}.`,
    )
  }
  writeFileSync(file, `${process.pid}\n`, { mode: 0o600 })
  process.on('exit', () => rmSync(file, { force: true }))
}

function readOwner(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: the process is alive and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * One demo a folder: a second one would rewrite the files the first one runs on.
 *
 * @module
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Claims the folder for as long as this process lives.
 * @throws Error that says how to go on, if another demo runs from it
 */
export function claimFolder(folder: string): void {
  const file = join(folder, 'demo.pid')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const owner = readOwner(file)
  if (owner !== undefined && owner !== process.pid && isAlive(owner)) {
    throw new Error(
      `A demo is running from ${folder} already (pid ${owner}). Stop it, or add --folder DIR for a second one. If it is not, remove ${file}.`,
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
    // Somebody else's process is alive, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * Files of the data directory that are made once, whichever process comes first, and that no process reads half.
 *
 * @module
 */
import { access, link, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConfigError } from '../config/values/problem.ts'
import { randomToken } from '../crypto.ts'
import { makeFolder } from '../storage/make-folder.ts'

/**
 * Creates a file of mode 0600, and its folder of mode 0700. The file gets its name, by a link, when it is complete.
 * @returns false if another process was faster
 * @throws the errors of `fs`
 */
export async function createOnce(path: string, text: string): Promise<boolean> {
  makeFolder(dirname(path))
  const unfinished = `${path}.${randomToken(9)}`
  try {
    await writeFile(unfinished, text, { flag: 'wx', mode: 0o600, flush: true })
    await link(unfinished, path)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** True if the file exists. @throws the errors of `fs`, unless it says that the file does not */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error: unknown) => {
      if (isCode(error, 'ENOENT')) return false
      throw error
    },
  )

/** The problem of a data directory that cannot be used; a {@link ConfigError} stays as it is. */
export function unusable(dataDir: string, error: unknown): ConfigError {
  if (error instanceof ConfigError) return error
  const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return new ConfigError([
    `DATA_DIR: ${dataDir} cannot be used (${why}). Name a directory that this user may write to, or fix its permissions.`,
  ])
}

const isCode = (error: unknown, code: string) =>
  error instanceof Error && 'code' in error && error.code === code

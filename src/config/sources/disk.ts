/**
 * The files a configuration is spread over, read by the function that the caller hands in.
 *
 * @module
 */
import { resolve } from 'node:path'
import { InvalidValue } from '../values/problem.ts'

export interface Disk {
  /** The text of a file, undefined if there is none. @throws InvalidValue if it cannot be read */
  find(path: string): string | undefined
  /** A secret: the file without the line break at its end. @throws InvalidValue if it is absent, empty or cannot be read */
  readSecret(path: string): string
  /** The path from the root. */
  absolute(path: string): string
}

/** @param options `cwd`: what paths are relative to; `readFile`: throws what `fs.readFileSync` throws */
export function createDisk(options: { cwd: string; readFile(path: string): string }): Disk {
  const absolute = (path: string) => resolve(options.cwd, path)
  const find = (path: string) => {
    try {
      return options.readFile(absolute(path))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'ENOENT') return undefined
      if (typeof code !== 'string') throw error
      throw new InvalidValue(`cannot be read (${code}). Check what it is and its permissions.`)
    }
  }
  return {
    find,
    absolute,
    readSecret(path) {
      const text = find(path)?.replace(/\r?\n$/, '')
      if (text === undefined) throw new InvalidValue('there is no such file. Check the path.')
      if (text.trim() === '') throw new InvalidValue('the file is empty. Put the secret into it.')
      return text
    },
  }
}

/**
 * Reads the files of a configuration, with the function that the caller passes.
 *
 * @module
 */
import { resolve } from 'node:path'
import { InvalidValue } from '../values/problem.ts'

export interface Disk {
  /** The text of a file, or undefined if it does not exist. @throws InvalidValue if it cannot be read */
  find(path: string): string | undefined
  /** The secret in a file, without a last line break. @throws InvalidValue if it is absent, empty or unreadable */
  readSecret(path: string): string
  /** The absolute path. */
  absolute(path: string): string
}

/** @param options `cwd`: the base of relative paths; `readFile`: throws the same errors as `fs.readFileSync` */
export function createDisk(options: { cwd: string; readFile(path: string): string }): Disk {
  const absolute = (path: string) => resolve(options.cwd, path)
  const find = (path: string) => {
    try {
      return options.readFile(absolute(path))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'ENOENT') return undefined
      if (code === 'EISDIR') {
        throw new InvalidValue(
          'is a folder, not a file. Docker makes a folder where a file to mount is missing: remove the folder, write the file, and start again.',
        )
      }
      if (typeof code !== 'string') throw error
      throw new InvalidValue(
        `cannot be read (${code}). Check that it is a file, and its permissions.`,
      )
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

/** The certificates in a file. @throws InvalidValue if it holds none, or as {@link Disk.readSecret} */
export function readCertificates(path: string, disk: Disk): string {
  const text = disk.readSecret(path)
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new InvalidValue('the file holds no certificate in PEM form. Check the path.')
  }
  return text
}

/**
 * The root secret: from the configuration, else made once in the data directory (decision K1).
 *
 * @module
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/problem.ts'
import { randomToken } from '../crypto.ts'

/**
 * @returns the secret, and the path of its file if it was made just now
 * @throws ConfigError if the data directory cannot be used
 */
export async function rootSecret(
  config: Pick<Config, 'secret' | 'dataDir'>,
): Promise<{ secret: string; madeAt?: string }> {
  if (config.secret !== undefined) return { secret: config.secret }
  const path = join(config.dataDir, 'secret')
  try {
    await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
    const secret = randomToken(48)
    // Exclusively: of processes that start together one makes it and the others read it.
    await writeFile(path, `${secret}\n`, { flag: 'wx', mode: 0o600 })
    return { secret, madeAt: path }
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw unusable(config.dataDir, error)
  }
  const secret = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(config.dataDir, error)
  })
  if (secret.trim().length < 32) {
    throw new ConfigError([
      `DATA_DIR: ${path} holds no secret. Put back the file from a backup, or remove it to start over with a new one.`,
    ])
  }
  return { secret: secret.trim() }
}

function unusable(dataDir: string, error: unknown): ConfigError {
  const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return new ConfigError([
    `DATA_DIR: ${dataDir} cannot be used (${why}). Name a directory that this user may write to, or mend its permissions.`,
  ])
}

const isCode = (error: unknown, code: string) =>
  error instanceof Error && 'code' in error && error.code === code

/**
 * The root secret: taken from the configuration, else made once in the data directory (decision K1).
 *
 * @module
 */
import { access, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/values/problem.ts'
import { randomToken } from '../crypto.ts'

/**
 * @returns the secret, and the path of its file if this call made it
 * @throws ConfigError if the data directory cannot be used
 */
export async function rootSecret(
  config: Pick<Config, 'secret' | 'dataDir'>,
): Promise<{ secret: string; madeAt?: string }> {
  if (config.secret !== undefined) return { secret: config.secret }
  const path = join(config.dataDir, 'secret')
  try {
    const made = (await exists(path)) ? undefined : await createSecret(path, config.dataDir)
    if (made !== undefined) return { secret: made, madeAt: path }
    return { secret: await readSecret(path) }
  } catch (error) {
    throw error instanceof ConfigError ? error : unusable(config.dataDir, error)
  }
}

/**
 * If processes start together, one makes the secret and the others read it. The file gets its name, by a link, when it
 * is complete, so no process reads half a secret.
 * @returns the secret, or undefined if another process was faster
 */
async function createSecret(path: string, dataDir: string): Promise<string | undefined> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const secret = randomToken(48)
  const unfinished = `${path}.${randomToken(9)}`
  try {
    await writeFile(unfinished, `${secret}\n`, { flag: 'wx', mode: 0o600, flush: true })
    await link(unfinished, path)
    return secret
  } catch (error) {
    if (isCode(error, 'EEXIST')) return undefined
    throw error
  } finally {
    await rm(unfinished, { force: true })
  }
}

async function readSecret(path: string): Promise<string> {
  const secret = (await readFile(path, 'utf8')).trim()
  if (secret.length < 32) {
    throw new ConfigError([
      `DATA_DIR: ${path} holds no secret. Restore the file from a backup, or remove it to start over with a new secret.`,
    ])
  }
  return secret
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    (error: unknown) => {
      if (isCode(error, 'ENOENT')) return false
      throw error
    },
  )

function unusable(dataDir: string, error: unknown): ConfigError {
  const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return new ConfigError([
    `DATA_DIR: ${dataDir} cannot be used (${why}). Name a directory that this user may write to, or fix its permissions.`,
  ])
}

const isCode = (error: unknown, code: string) =>
  error instanceof Error && 'code' in error && error.code === code

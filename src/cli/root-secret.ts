/**
 * The root secret: taken from the configuration, else made once in the data directory (decision K1).
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/values/problem.ts'
import { randomToken } from '../crypto.ts'
import { createOnce, exists, unusable } from './create-once.ts'

/**
 * If processes start together, one makes the secret and the others read it.
 * @returns the secret, and the path of its file if this call made it
 * @throws ConfigError if the data directory cannot be used
 */
export async function rootSecret(
  config: Pick<Config, 'secret' | 'dataDir'>,
): Promise<{ secret: string; madeAt?: string }> {
  if (config.secret !== undefined) return { secret: config.secret }
  const path = join(config.dataDir, 'secret')
  try {
    if (!(await exists(path))) {
      const secret = randomToken(48)
      if (await createOnce(path, `${secret}\n`)) return { secret, madeAt: path }
    }
    return { secret: await readSecret(path) }
  } catch (error) {
    throw unusable(config.dataDir, error)
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

/**
 * Passwords for people who are named without one: made at the first start, and kept hashed in the data directory.
 *
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { parsePasswordHash } from '../config/values/password-hash.ts'
import { ConfigError, InvalidValue } from '../config/values/problem.ts'
import { sha256 } from '../crypto.ts'
import { loginName } from '../identifiers.ts'
import type { NewUser, UserConfig } from '../providers/provider-config.ts'
import { createOnce, exists, unusable } from './create-once.ts'
import { hashOf, newPassword } from './passwords.ts'

/** A password that this process made. */
export interface MadePassword {
  readonly name: string
  readonly password: string
  /** The file that holds the hash: without it, the next start makes another password. */
  readonly hashFile: string
}

interface Told {
  readonly tell: (made: MadePassword) => Promise<void>
  readonly remind: (left: { readonly name: string; readonly passwordFile: string }) => void
}

/**
 * Reads the hash of each new user, or makes a password. If processes start together, one makes it and the others read.
 * @param options `tell` gets each password that this process made; `remind` the file of an earlier one, while it is there
 * @throws ConfigError if the data directory cannot be used
 */
export async function givePasswords(
  { newUsers, dataDir }: Pick<Config, 'newUsers' | 'dataDir'>,
  options: Told,
): Promise<readonly UserConfig[]> {
  try {
    const users: UserConfig[] = []
    for (const user of newUsers) {
      users.push({ ...user, passwordHash: await hashFor(user, dataDir, options) })
    }
    return users
  } catch (error) {
    throw unusable(dataDir, error)
  }
}

async function hashFor(
  { name }: NewUser,
  dataDir: string,
  { tell, remind }: Told,
): Promise<string> {
  const hashFile = join(dataDir, 'users', `${fileNameOf(name)}.hash`)
  if (!(await exists(hashFile))) {
    const password = newPassword()
    const hash = await hashOf(password)
    if (await createOnce(hashFile, `${hash}\n`)) {
      await tell({ name, password, hashFile })
      return hash
    }
  }
  const passwordFile = passwordFileOf(hashFile)
  if (await exists(passwordFile)) remind({ name, passwordFile })
  try {
    return parsePasswordHash((await readFile(hashFile, 'utf8')).trim())
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error
    throw new ConfigError([
      `DATA_DIR: ${hashFile} holds no password hash. Restore the file from a backup, or remove it and the next start makes a new password.`,
    ])
  }
}

const passwordFileOf = (hashFile: string) => hashFile.replace(/\.hash$/, '.password')

/** Readable, and distinct for each person. */
const fileNameOf = (name: string) =>
  `${loginName(name)
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)}-${sha256(loginName(name)).slice(0, 8)}`

/** The part of a terminal that shows a password. */
export interface Terminal {
  write(text: string): unknown
}

/**
 * Shows a new password on the terminal; without one, puts it into a file of mode 0600 beside its hash.
 * @returns the path of that file
 */
export async function tellPassword(
  { name, password, hashFile }: MadePassword,
  terminal: Terminal | undefined,
): Promise<string | undefined> {
  if (terminal) {
    terminal.write(`
  Sign in as   ${name}
  Password     ${password}

  Write it down: only its hash is kept. For another password remove
  ${hashFile}
  and start again.

`)
    return undefined
  }
  const file = passwordFileOf(hashFile)
  await writeFile(file, `${password}\n`, { mode: 0o600, flush: true })
  return file
}

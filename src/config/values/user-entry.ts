/**
 * A person of the built-in login as one text: `ann@example.com:$argon2id$...`, or the name alone.
 *
 * @module
 */
import { writtenAddress } from '../../identifiers.ts'
import type { NewUser } from '../../providers/provider-config.ts'
import { parsePasswordHash } from './password-hash.ts'
import { InvalidValue, quote } from './problem.ts'
import { splitList } from './split-list.ts'

/** A person of the flat list. */
export interface FlatUser extends NewUser {
  /** Absent: Gatewarden makes a password. */
  readonly passwordHash?: string
}

/** The rest of a hash when a shell or Compose took `$argon2id`, `$v` and `$m` for variables. */
const CUT = /^[^$].*,t=\d+,p=\d+/

/**
 * Splits people at line breaks, or as a JSON list. A hash holds commas, so a comma separates only names without a hash.
 * @throws InvalidValue for a text in brackets that is no JSON list
 */
export function splitUsers(text: string): string[] {
  if (/^\s*\[/.test(text)) {
    const list = text.trim()
    if (!list.endsWith(']')) {
      throw new InvalidValue('is not a JSON list of texts: it has no ] at its end. Add it.')
    }
    return splitList(list)
  }
  return text.split('\n').flatMap((line) => (line.includes(':') ? [line] : line.split(',')))
}

/** @throws InvalidValue, without the hash, for a name that nobody can sign in with, and for a hash that is none */
export function parseFlatUser(value: string): FlatUser {
  const colon = value.indexOf(':')
  const name = (colon < 0 ? value : value.slice(0, colon)).trim()
  const hash = colon < 0 ? undefined : value.slice(colon + 1).trim()
  if (name.startsWith('$') || name.includes('$argon2')) {
    throw new InvalidValue('has a hash without a name. Write ann@example.com:HASH.')
  }
  if (name === '' || name.length > 128 || /[\p{Cc},[\]"]/u.test(name)) {
    throw new InvalidValue(
      `${quote(name)} is not a name to sign in with. Write ann@example.com:HASH, one person a line.`,
    )
  }
  const email = writtenAddress(name)
  if (name.includes('@') && email === undefined) {
    throw new InvalidValue(
      `${quote(name)} is not an e-mail address. Write it like ann@example.com.`,
    )
  }
  const user = { name: email ?? name, groups: [], ...(email !== undefined && { email }) }
  return hash === undefined ? user : { ...user, passwordHash: hashOf(name, hash) }
}

function hashOf(name: string, hash: string): string {
  if (CUT.test(hash)) {
    throw new InvalidValue(
      `the hash of ${quote(name)} lost its $ signs on the way. Put it in single quotes; in a Compose file write each $ as $$.`,
    )
  }
  if (hash.startsWith('$$')) {
    throw new InvalidValue(
      `the hash of ${quote(name)} has each $ twice. Write it once: only a Compose file needs $$.`,
    )
  }
  try {
    return parsePasswordHash(hash)
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error
    throw new InvalidValue(`the hash of ${quote(name)} ${error.message}`)
  }
}

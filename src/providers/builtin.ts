/**
 * The built-in login: the people of the configuration file, with argon2id hashes.
 *
 * @module
 */
import { verify } from '@node-rs/argon2'
import type { Keyring } from '../crypto.ts'
import { loginName } from '../identifiers.ts'
import { createLanes } from './lanes.ts'
import type { Identity, PasswordProvider } from './provider.ts'
import { BUILTIN_ISSUER, builtinSubject, type UserConfig } from './provider-config.ts'

const QUEUE_LENGTH = 16

/** @param deps `users`: names are unique without regard to case, and so are e-mails; `keyring` marks grants with the
 * password that they were made by; `elapsed` in milliseconds, never set back */
export function createBuiltinProvider(deps: {
  readonly users: readonly UserConfig[]
  readonly keyring: Pick<Keyring, 'mac' | 'macs'>
  readonly elapsed: () => number
  /** Compares a password with a PHC string. */
  readonly verifyHash?: (hash: string, password: string) => Promise<boolean>
}): PasswordProvider {
  const { users, keyring, elapsed, verifyHash = verify } = deps
  const byName = new Map<string, { user: UserConfig; identity: Identity }>()
  const bySubject = new Map<string, { identity: Identity; marks: readonly [string, ...string[]] }>()
  for (const user of users) {
    const identity = identityOf(user)
    const marks = keyring.macs('password', `${identity.subject}\0${user.passwordHash}`)
    bySubject.set(identity.subject, { identity, marks })
    for (const name of [user.name, user.email ?? user.name]) {
      byName.set(loginName(name), { user, identity })
    }
  }
  const dummies = users.map(({ passwordHash }) => withoutPassword(passwordHash))
  const turn = createLanes({ length: QUEUE_LENGTH, elapsed })

  return {
    id: 'builtin',
    name: 'Password',
    uniqueUsernames: true,
    kind: 'password',
    current({ issuer, subject, credential }) {
      const known = issuer === BUILTIN_ISSUER ? bySubject.get(subject) : undefined
      return known?.marks.some((mark) => mark === credential) ? known.identity : undefined
    },
    credentialOf: ({ subject }) => bySubject.get(subject)?.marks[0],
    userNamed: (typed) => byName.get(loginName(typed))?.user.name,
    verify: ({ name, password }, applicant) =>
      turn(applicant, async () => {
        const key = loginName(name)
        const found = byName.get(key)
        const matches = await verifyHash(found?.user.passwordHash ?? dummyOf(key), password)
        return matches ? found?.identity : undefined
      }),
  }

  /** The same for every try of a name, and over many names as mixed as the users' own (threat T45). */
  function dummyOf(name: string): string {
    const number = Buffer.from(keyring.mac('lockout', `dummy|${name}`), 'base64url').readUInt32BE(0)
    return dummies[number % dummies.length] ?? ''
  }
}

/** The users whose passwords are quicker to try than others', so that time tells them from the rest. */
export function usersWithCheaperHashes(users: readonly UserConfig[]): readonly string[] {
  const dearest = Math.max(...users.map(({ passwordHash }) => costOf(passwordHash)))
  return users.filter(({ passwordHash }) => costOf(passwordHash) < dearest).map(({ name }) => name)
}

const costOf = (hash: string) =>
  Number(/m=(\d+)/.exec(hash)?.[1]) * Number(/t=(\d+)/.exec(hash)?.[1])

/** The salt and cost of a hash, with a digest of no password. */
const withoutPassword = (hash: string) =>
  hash.replace(/[^$]+$/, (digest) => 'A'.repeat(digest.length))

function identityOf(user: UserConfig): Identity {
  const subject = builtinSubject(user.name)
  return {
    issuer: BUILTIN_ISSUER,
    subject,
    preferredUsername: user.name,
    groups: user.groups,
    ...(user.email !== undefined && { email: user.email }),
    ...(user.displayName !== undefined && { name: user.displayName }),
  }
}

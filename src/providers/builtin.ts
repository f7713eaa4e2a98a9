/**
 * The built-in login: the people of the configuration file, with argon2id hashes.
 *
 * @module
 */
import { verify } from '@node-rs/argon2'
import type { Keyring } from '../crypto.ts'
import { loginName, lowerCase } from '../identifiers.ts'
import { type Identity, type PasswordProvider, ProviderBusy } from './provider.ts'
import type { UserConfig } from './provider-config.ts'

/** The issuer of built-in people: not a URL, so that it outlives a change of the gateway's address. */
export const BUILTIN_ISSUER = 'builtin'

const QUEUE_LENGTH = 16
const BUSY_RETRY_SECONDS = 5

/**
 * @param users names are unique without regard to case, and so are e-mails
 * @param keyring marks grants with the password that they were made by
 */
export function createBuiltinProvider(
  users: readonly UserConfig[],
  keyring: Keyring,
): PasswordProvider {
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
  const dummy = dummyHash(users)
  const turn = oneAtATime(QUEUE_LENGTH)
  const find = (typed: string) => byName.get(loginName(typed))

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
    verify: ({ name, password }) =>
      turn(async () => {
        const found = find(name)
        const matches = await verify(found?.user.passwordHash ?? dummy, password)
        return matches ? found?.identity : undefined
      }),
  }
}

/** The costliest user's salt and cost, with a digest of no password: an unknown name takes as long as a known one. */
function dummyHash(users: readonly UserConfig[]): string {
  const cost = (hash: string) =>
    Number(/m=(\d+)/.exec(hash)?.[1]) * Number(/t=(\d+)/.exec(hash)?.[1])
  const [costliest = ''] = users
    .map(({ passwordHash }) => passwordHash)
    .sort((a, b) => cost(b) - cost(a))
  return costliest.replace(/[^$]+$/, (digest) => 'A'.repeat(digest.length))
}

function identityOf(user: UserConfig): Identity {
  const subject = lowerCase(user.name)
  return {
    issuer: BUILTIN_ISSUER,
    subject,
    preferredUsername: user.name,
    groups: user.groups,
    ...(user.email !== undefined && { email: user.email }),
    ...(user.displayName !== undefined && { name: user.displayName }),
  }
}

/**
 * Runs one task after the other: argon2 fills the thread pool that token checks share (decision K29).
 * @throws ProviderBusy, through the promise, when `queueLength` others wait already
 */
function oneAtATime(queueLength: number): <T>(task: () => Promise<T>) => Promise<T> {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    if (waiting > queueLength) return Promise.reject(new ProviderBusy(BUSY_RETRY_SECONDS))
    waiting += 1
    const run = last.then(task).finally(() => {
      waiting -= 1
    })
    last = run.catch(() => undefined)
    return run
  }
}

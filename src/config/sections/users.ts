/**
 * The people of the built-in login, from the file and from the flat list.
 *
 * @module
 */
import type * as z from 'zod'
import { loginName } from '../../identifiers.ts'
import type { NewUser, UserConfig } from '../../providers/provider-config.ts'
import type { Disk } from '../sources/disk.ts'
import { isRecord } from '../sources/yaml.ts'
import { fields, list, section, text } from '../values/fields.ts'
import { labelBelow, parseWith } from '../values/issues.ts'
import { MAKE_HASH, parsePasswordHash } from '../values/password-hash.ts'
import { parseEmail, parseGroup } from '../values/people.ts'
import { parseDisplayName, parsePath } from '../values/plain.ts'
import { attempt, type Report } from '../values/problem.ts'
import type { FlatUser } from '../values/user-entry.ts'

export const User = section({
  email: text(parseEmail)
    .optional()
    .register(fields, { description: 'E-mail address; counts as verified.' }),
  name: text(parseDisplayName)
    .optional()
    .register(fields, { description: 'Name that people see.' }),
  groups: list(parseGroup)
    .optional()
    .register(fields, { description: 'Groups, for `allow` and for the server.' }),
  password_hash: text(parsePasswordHash).optional().register(fields, {
    description: 'Hash from `gatewarden hash-password`.',
    secret: true,
  }),
  password_hash_file: text(parsePath).optional().register(fields, {
    description: 'File that holds the hash, instead of `password_hash`.',
  }),
})

function buildUser(
  name: string,
  user: z.output<typeof User>,
  { report, disk }: { report: Report; disk: Disk },
): UserConfig | undefined {
  const at = `users.${name}`
  if (name.length > 128 || name.trim() !== name || !/^[^\p{Cc}]+$/u.test(name)) {
    report.problem(
      at,
      'is not a name to sign in with. Use 1 to 128 characters without line breaks.',
    )
    return undefined
  }
  const { password_hash, password_hash_file } = user
  if (password_hash !== undefined && password_hash_file !== undefined) {
    report.problem(
      `${at}.password_hash`,
      'conflicts with password_hash_file. Remove one of the two.',
    )
    return undefined
  }
  if (password_hash === undefined && password_hash_file === undefined) {
    report.problem(`${at}.password_hash`, `is missing. ${MAKE_HASH}`)
    return undefined
  }
  const hash =
    password_hash ??
    attempt(report, `${at}.password_hash_file`, () =>
      parsePasswordHash(disk.readSecret(password_hash_file ?? '')),
    )
  if (hash === undefined) return undefined
  return {
    name,
    groups: user.groups ?? [],
    passwordHash: hash,
    ...(user.email !== undefined && { email: user.email }),
    ...(user.name !== undefined && { displayName: user.name }),
  }
}

export interface BuiltUsers {
  readonly users: UserConfig[]
  /** Those who get a password at the first start. */
  readonly newUsers: NewUser[]
}

/** The people without a problem; the problems of the others go to the report. */
export function buildUsers(parts: {
  /** `users` in the file. */
  described: Readonly<Record<string, unknown>>
  /** `USERS`. */
  listed: readonly FlatUser[]
  disk: Disk
  report: Report
}): BuiltUsers {
  const { described, listed, disk, report } = parts
  const built = Object.entries(described).flatMap(([name, value]) => {
    if (reportCutHash(name, value, report)) return []
    const parsed = parseWith(User, value, {
      report,
      label: labelBelow(`users.${name}`),
      keys: () => Object.keys(User.shape),
    })
    const user = 'value' in parsed ? buildUser(name, parsed.value, { report, disk }) : undefined
    return user ? [{ at: `users.${name}`, user }] : []
  })
  const users = listed.flatMap(({ passwordHash, ...user }): UserConfig[] =>
    passwordHash === undefined ? [] : [{ ...user, passwordHash }],
  )
  const newUsers = listed.filter(({ passwordHash }) => passwordHash === undefined)
  checkDistinct([...built, ...listed.map((user) => ({ at: `USERS ${user.name}`, user }))], report)
  return { users: [...built.map(({ user }) => user), ...users], newUsers }
}

/** A hash without quotes ends at its first comma in a map on one line, and its rest looks like further settings. */
function reportCutHash(name: string, value: unknown, report: Report): boolean {
  const isCut = isRecord(value) && Object.keys(value).some((key) => /^[tp]=\d/.test(key))
  if (isCut) {
    report.problem(
      `users.${name}.password_hash`,
      'is cut at its first comma. Put quotes around the hash.',
    )
  }
  return isCut
}

/** People sign in by name or e-mail, so each may belong to only one of them. */
function checkDistinct(
  placed: readonly { readonly at: string; readonly user: NewUser }[],
  report: Report,
): void {
  const owners = new Map<string, string>()
  for (const { at, user } of placed) {
    for (const [setting, login] of [
      [at, loginName(user.name)],
      [`${at}.email`, user.email],
    ]) {
      if (setting === undefined || login === undefined) continue
      const owner = owners.get(login)
      if (owner !== undefined && (owner !== at || setting === at)) {
        report.problem(setting, `means the same person as ${owner}. Change or remove one.`)
      }
      owners.set(login, at)
    }
  }
}

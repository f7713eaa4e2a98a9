/**
 * The people of the built-in login, as the file lists them.
 *
 * @module
 */
import type * as z from 'zod'
import { loginName } from '../../identifiers.ts'
import type { UserConfig } from '../../providers/provider-config.ts'
import type { Disk } from '../sources/disk.ts'
import { fields, list, section, text } from '../values/fields.ts'
import { labelBelow, parseWith } from '../values/issues.ts'
import { parseEmail, parseGroup } from '../values/people.ts'
import { parseDisplayName, parsePath } from '../values/plain.ts'
import { attempt, InvalidValue, type Report } from '../values/problem.ts'

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

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/
const MAKE_ONE = 'Make one with: gatewarden hash-password.'

/**
 * @throws InvalidValue unless `value` is an argon2id PHC string, neither weak (OWASP's minimum is 7 MiB) nor so costly
 *   that it stops the process
 */
export function parsePasswordHash(value: string): string {
  const parts = PHC.exec(value)
  if (!parts) throw new InvalidValue(`is not an argon2id hash. ${MAKE_ONE}`)
  const [memory = 0, passes = 0, lanes = 0] = parts.slice(1).map(Number)
  if (memory < 7168) throw new InvalidValue(`was made with less than 7 MiB of memory. ${MAKE_ONE}`)
  if (memory > 1_048_576)
    throw new InvalidValue(`was made with more than 1 GiB of memory. ${MAKE_ONE}`)
  if (passes < 1 || passes > 64 || lanes < 1 || lanes > 64) {
    throw new InvalidValue(`was made with parameters out of bounds. ${MAKE_ONE}`)
  }
  return value
}

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
    report.problem(`${at}.password_hash`, `is missing. ${MAKE_ONE}`)
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

/** The people without a problem; the problems of the others go to the report. */
export function buildUsers(parts: {
  users: Readonly<Record<string, unknown>>
  disk: Disk
  report: Report
}): UserConfig[] {
  const { users, disk, report } = parts
  const built = Object.entries(users).flatMap(([name, value]) => {
    const parsed = parseWith(User, value, {
      report,
      label: labelBelow(`users.${name}`),
      keys: () => Object.keys(User.shape),
    })
    const user = 'value' in parsed ? buildUser(name, parsed.value, { report, disk }) : undefined
    return user ? [user] : []
  })
  checkDistinct(built, report)
  return built
}

/** People sign in by name or e-mail, so each may belong to only one of them. */
function checkDistinct(users: readonly UserConfig[], report: Report): void {
  const owners = new Map<string, string>()
  for (const { name, email } of users) {
    for (const [setting, login] of [
      [`users.${name}`, loginName(name)],
      [`users.${name}.email`, email],
    ]) {
      if (setting === undefined || login === undefined) continue
      const owner = owners.get(login)
      if (owner !== undefined && owner !== name) {
        report.problem(setting, `means the same person as users.${owner}. Change or remove one.`)
      }
      owners.set(login, name)
    }
  }
}

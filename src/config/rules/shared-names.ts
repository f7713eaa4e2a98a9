/**
 * Checks that no user of the built-in login and no static token share a name: servers get both as `X-Forwarded-User`.
 *
 * @module
 */
import { comparedName } from '../../oauth/user-name.ts'
import type { NewUser } from '../../providers/provider-config.ts'
import type { PlacedStaticToken } from '../sections/static-tokens.ts'
import type { Report } from '../values/problem.ts'

export function checkSharedNames(parts: {
  users: readonly NewUser[]
  staticTokens: readonly PlacedStaticToken[]
  report: Report
}): void {
  const { users, staticTokens, report } = parts
  const tokens = new Map(staticTokens.map(({ config: { name } }) => [comparedName(name), name]))
  for (const { name } of users) {
    const token = tokens.get(comparedName(name))
    if (token === undefined) continue
    report.problem(
      `users.${name}`,
      `has the name of the static token ${token}, and a server could not tell the two apart. Rename one of the two.`,
    )
  }
}

/**
 * The limits of single groups of endpoints.
 *
 * @module
 */
import type { LimitGroup } from '../../http/rate-limit.ts'

/** The groups that have a setting of their own. */
export const LIMITED_APART = [
  'discovery',
  'register',
  'device',
  'token',
  'revoke',
  'introspect',
  'login',
  'refused',
] as const satisfies readonly LimitGroup[]

type Given = {
  readonly [Key in `rate_limit_${(typeof LIMITED_APART)[number]}`]?: number | undefined
}

/** Those that are set; `RATE_LIMIT` holds for the others. */
export function rateLimitsOf(settings: Given): Readonly<Partial<Record<LimitGroup, number>>> {
  return Object.fromEntries(
    LIMITED_APART.flatMap((group) => {
      const limit = settings[`rate_limit_${group}`]
      return limit === undefined ? [] : [[group, limit]]
    }),
  )
}

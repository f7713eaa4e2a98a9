/**
 * The people who may pass, as configured: e-mail addresses, mail domains and groups.
 *
 * @module
 */
import type * as z from 'zod'
import type { AllowList } from '../../resources/policy.ts'
import { fields, list, section } from './fields.ts'
import { InvalidValue, quote } from './problem.ts'

/** In any of the three lists: anyone who can log in. */
const ANYONE = '*'

/** @throws InvalidValue unless `value` is an address with exactly one `@` (GHSA-c5c4-8r6x-56w3) */
export function parseEmail(value: string): string {
  if (!/^[^@\s,]+@[^@\s,]+$/.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not an e-mail address. Write it like ann@example.com.`,
    )
  }
  return value.toLowerCase()
}

/** @throws InvalidValue for a name that a header would show as two groups */
export function parseGroup(value: string): string {
  if (!/^[^\p{Cc},]+$/u.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not a group name. Leave out commas and control characters.`,
    )
  }
  return value
}

/** @throws InvalidValue unless `value` is a mail domain or `*` */
export function parseDomain(value: string): string {
  if (value === ANYONE) return value
  const domain = value.toLowerCase().replace(/^@/, '')
  if (!/^[^\s@*/:.,]+(\.[^\s@*/:.,]+)*$/.test(domain)) {
    throw new InvalidValue(`${quote(value)} is not a mail domain. Write it like example.com.`)
  }
  return domain
}

/** @throws InvalidValue unless `value` is a Google Workspace domain */
export function parseHostedDomain(value: string): string {
  if (/^@|^\*$/.test(value)) {
    throw new InvalidValue(`${quote(value)} is not a Workspace domain. Write it like example.com.`)
  }
  return parseDomain(value)
}

/** @throws InvalidValue unless `value` is an e-mail address or `*` */
export function parseAllowedEmail(value: string): string {
  return value === ANYONE ? value : parseEmail(value)
}

/** `allow` in the file: global, or of a resource. */
export const Allow = section({
  emails: list(parseAllowedEmail).optional().register(fields, { description: 'E-mail addresses.' }),
  domains: list(parseDomain).optional().register(fields, { description: 'Mail domains.' }),
  groups: list(parseGroup).optional().register(fields, { description: 'Groups.' }),
})

/** The three lists as one allow list. A `*` in any of them lets in anyone who can log in. */
export function toAllowList(lists: z.output<typeof Allow>): AllowList {
  const all = [lists.emails ?? [], lists.domains ?? [], lists.groups ?? []]
  const [emails = [], domains = [], groups = []] = all.map((entries) =>
    entries.filter((entry) => entry !== ANYONE),
  )
  return { anyone: all.some((entries) => entries.includes(ANYONE)), emails, domains, groups }
}

/** True if the list lets nobody pass. */
export function isEmpty(allow: AllowList): boolean {
  return !allow.anyone && allow.emails.length + allow.domains.length + allow.groups.length === 0
}

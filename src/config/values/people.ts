/**
 * The people who may pass, as configured: e-mail addresses, mail domains, groups and user names.
 *
 * @module
 */
import type * as z from 'zod'
import { lowerCase, writtenAddress, writtenDomain } from '../../identifiers.ts'
import type { AllowList } from '../../resources/policy.ts'
import { fields, list, section } from './fields.ts'
import { InvalidValue, quote } from './problem.ts'
import { isPublicSuffix } from './public-suffix.ts'

/** In any of the lists: anyone who can log in. */
const ANYONE = '*'

/** @throws InvalidValue unless `value` is an address with exactly one `@` (GHSA-c5c4-8r6x-56w3) */
export function parseEmail(value: string): string {
  // No provider states an address with one of these (RFC 5322 section 3.2.3): `mailto:`, names, further addresses.
  const address = /[\s,;:<>()[\]\\"]/.test(value) ? undefined : writtenAddress(value)
  if (address === undefined || address.startsWith('^')) {
    throw new InvalidValue(
      `${quote(value)} is not an e-mail address. Write it like ann@example.com.`,
    )
  }
  return address
}

/** @throws InvalidValue for a name that no provider can state */
export function parseGroup(value: string): string {
  if (!/^[^\p{Cc}]{1,256}$/u.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not a group name. Write at most 256 characters, without control characters.`,
    )
  }
  return value
}

/** @throws InvalidValue for text that is no user name: an e-mail address, for example */
export function parseAllowedUser(value: string): string {
  if (value === ANYONE) return value
  if (/@/.test(value.normalize('NFKC'))) {
    throw new InvalidValue(
      `${quote(value)} is an e-mail address, not a user name. List it in ALLOWED_EMAILS.`,
    )
  }
  if (!/^[^\p{Cc}\s*^$\\|]{1,256}$/u.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not a user name. Write the one that the provider shows, such as ann.`,
    )
  }
  return lowerCase(value)
}

/** @throws InvalidValue unless `value` is a mail domain, `*.` and one for all its subdomains, or `*` */
export function parseAllowedDomain(value: string): string {
  const parent = value.startsWith('*.') ? writtenDomain(value.slice(2)) : undefined
  if (parent !== undefined) {
    if (!isPublicSuffix(parent)) return `*.${parent}`
    throw new InvalidValue(
      `${quote(value)} covers domains of people who have nothing to do with each other. Write it like *.${EXAMPLE}.`,
    )
  }
  return parseDomain(value)
}

/** @throws InvalidValue unless `value` is a mail domain or `*` */
export function parseDomain(value: string): string {
  if (value === ANYONE) return value
  const domain = writtenDomain(value.replace(/^@/, ''))
  if (domain !== undefined) return domain
  const [kind, meant] = meantDomain(value)
  throw new InvalidValue(`${quote(value)} is ${kind}. Write it like ${meant}.`)
}

/** The kind of pattern that other programs take here, and the domain that it most likely means. */
function meantDomain(value: string): readonly [kind: string, domain: string] {
  if (value.startsWith('*.')) {
    return [
      'a wildcard, and an entry covers one domain alone',
      writtenDomain(value.slice(2)) ?? EXAMPLE,
    ]
  }
  if (!/[\\^$|()[\]{}+?]|\.\*/.test(value)) return ['not a mail domain', EXAMPLE]
  const bare = value
    .replace(/^\^|\$$/g, '')
    .replace(/^(?:\.[*+]|\[\^@\][*+]|\(.*\)\??)*(?:@|\\\.)?/, '')
    .replaceAll('\\.', '.')
  const meant = bare.includes('.') ? writtenDomain(bare) : undefined
  return ['a regular expression, which matches nobody here', meant ?? EXAMPLE]
}

const EXAMPLE = 'example.com'

/** @throws InvalidValue unless `value` is a Google Workspace domain */
export function parseHostedDomain(value: string): string {
  if (/^@|^\*$/.test(value)) {
    throw new InvalidValue(`${quote(value)} is not a Workspace domain. Write it like example.com.`)
  }
  const domain = parseDomain(value)
  if (domain === 'gmail.com' || domain === 'googlemail.com') {
    throw new InvalidValue(
      `${quote(value)} is not a Workspace domain: private accounts have none. List the people in ALLOWED_EMAILS.`,
    )
  }
  return domain
}

/** @throws InvalidValue unless `value` is an e-mail address or `*` */
export function parseAllowedEmail(value: string): string {
  if (value === ANYONE) return value
  // Every person of a domain, as other programs write it.
  const pattern = /^(?:\^?[.*+]*|\^?\[\^@\][*+])@(.+)$/.exec(value)?.[1]
  if (pattern === undefined) return parseEmail(value)
  const domain = writtenDomain(pattern) ?? meantDomain(pattern)[1]
  throw new InvalidValue(
    `${quote(value)} is not an e-mail address. Write it like ann@example.com, or list ${domain} in ALLOWED_DOMAINS.`,
  )
}

/**
 * A list of people. mcpauth takes `*` in a list for the address of somebody, and other programs for everybody: beside
 * other entries it may let in more people than meant, so it has to stand alone.
 */
export function people(parse: (entry: string) => string) {
  return list(parse).refine((entries) => entries.length < 2 || !entries.includes(ANYONE), {
    error:
      '"*" lets in anyone who can log in, but the list names others too. Write * alone, or leave it out.',
  })
}

/** `allow` in the file: global, or of a resource. */
export const Allow = section({
  emails: people(parseAllowedEmail)
    .optional()
    .register(fields, { description: 'E-mail addresses.' }),
  domains: people(parseAllowedDomain).optional().register(fields, {
    description: 'Mail domains, or `*.example.com` for all subdomains of one.',
  }),
  groups: people(parseGroup).optional().register(fields, { description: 'Groups.' }),
  users: people(parseAllowedUser).optional().register(fields, { description: 'User names.' }),
})

/**
 * The lists as one allow list. A `*` in any of them lets in anyone who can log in.
 * @param verifiedEmail true if nobody passes without a verified e-mail
 */
export function toAllowList(lists: z.output<typeof Allow>, verifiedEmail: boolean): AllowList {
  const all = [lists.emails ?? [], lists.domains ?? [], lists.groups ?? [], lists.users ?? []]
  const [emails = [], domains = [], groups = [], users = []] = all.map((entries) =>
    entries.filter((entry) => entry !== ANYONE),
  )
  const anyone = all.some((entries) => entries.includes(ANYONE))
  return {
    anyone,
    emails,
    domains,
    groups,
    ...(users.length > 0 && { users }),
    ...(verifiedEmail && { verifiedEmail }),
  }
}

/** True if the list lets nobody pass. */
export function isEmpty(allow: AllowList): boolean {
  const { emails, domains, groups, users = [], persons = [] } = allow
  return (
    !allow.anyone && [emails, domains, groups, users, persons].every((list) => list.length === 0)
  )
}

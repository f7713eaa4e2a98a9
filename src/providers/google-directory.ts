/**
 * The directory of a Google Workspace: whether an account may still be used, and its groups (decision 0067). It is read
 * with a token of the operator's service account, never with one of the person.
 *
 * @module
 */
import { z } from 'zod'
import { lowerCase } from '../identifiers.ts'
import { createServiceTokens } from './google-service-token.ts'
import type { HostedDomains } from './hosted-domains.ts'
import { parseJson, type ReportOddity } from './oddities.ts'
import { identityFromClaims } from './oidc-identity.ts'
import { type Account, type Identity, ProviderFailure, type Rechecks } from './provider.ts'
import type { GoogleDirectoryConfig } from './provider-config.ts'
import { PROVIDER_TIMEOUT, type ProviderFetch } from './provider-fetch.ts'

/** The largest page that Google has. */
const PAGE_SIZE = 200
const MAX_PAGES = 10
/** Milliseconds for the pages of a list together: a person waits for them. */
const MAX_LIST_MS = 5_000
/** As many as a person may have here; beyond it only those count that lists name. */
const MAX_GROUPS = 200

const Email = z.string().regex(/^[^@\s,]+@[^@\s,]+$/)
const User = z.looseObject({
  id: z.string(),
  primaryEmail: Email,
  suspended: z.boolean().optional(),
  archived: z.boolean().optional(),
  name: z.looseObject({ fullName: z.string().optional() }).optional(),
})
const Groups = z.looseObject({
  groups: z.array(z.looseObject({ email: Email })).optional(),
  nextPageToken: z.string().min(1).optional(),
})
const GoogleError = z.looseObject({
  error: z.looseObject({
    message: z.string(),
    errors: z.array(z.looseObject({ reason: z.string() })).optional(),
  }),
})

export interface GoogleDirectory {
  /** The groups of an account in good standing, by its `sub`. Rejects with ProviderFailure, `gone` among them. */
  groupsOf(subject: string): Promise<readonly string[]>
  /** Asks about an account again. */
  readonly rechecks: Rechecks
}

interface DirectoryDeps {
  readonly hosted: Pick<HostedDomains, 'admitManaged'>
  readonly tolerated?: ReportOddity | undefined
  readonly outbound: ProviderFetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds on a clock that is never set back. */
  readonly elapsed: () => number
}

export function createGoogleDirectory(
  config: GoogleDirectoryConfig,
  deps: DirectoryDeps,
): GoogleDirectory {
  const { url, namedGroups } = config
  const tokens = createServiceTokens(config, deps)

  const ask = (path: string, token: string) =>
    deps.outbound.send(`${url}/admin/directory/v1/${path}`, {
      method: 'GET',
      headers: { accept: 'application/json', authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000),
    })

  /** The JSON at a path; undefined if the directory has nothing there. `what` is for the log. */
  async function read(path: string, what: string): Promise<unknown> {
    const token = await tokens.get()
    const first = await ask(path, token)
    const response = first.status === 401 ? await ask(path, await tokens.instead(token)) : first
    const body = parseJson(await response.text())
    if (response.status === 404 && isNotFound(body)) return undefined
    if (response.status === 200 && body !== undefined) return body
    if (isOverQuota(response.status, body)) {
      throw new ProviderFailure('unavailable', `the quota of the directory is used up (${what})`)
    }
    throw new ProviderFailure(
      'failed',
      `the directory of Google answered ${response.status} about ${what}${response.status === 403 ? ': let GOOGLE_ADMIN_SUBJECT read users and groups, and delegate both scopes to the service account' : ''}`,
    )
  }

  async function findUser(subject: string): Promise<z.infer<typeof User>> {
    const body = await read(`users/${encodeURIComponent(subject)}`, 'the account')
    if (body === undefined) {
      throw new ProviderFailure('gone', 'the directory of Google does not have the account')
    }
    const user = User.safeParse(body)
    if (!user.success || user.data.id !== subject) {
      throw new ProviderFailure('failed', 'the account in the directory of Google cannot be read')
    }
    const { suspended, archived } = user.data
    if (suspended) throw new ProviderFailure('gone', 'the account is suspended at Google')
    if (archived) throw new ProviderFailure('gone', 'the account is archived at Google')
    return user.data
  }

  async function listGroups(subject: string): Promise<readonly string[]> {
    const began = deps.elapsed()
    const found = new Set<string>()
    const query = new URLSearchParams({ userKey: subject, maxResults: String(PAGE_SIZE) })
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const body = await read(`groups?${query}`, 'groups')
      const listed = Groups.safeParse(body)
      if (!listed.success) {
        throw new ProviderFailure('failed', 'the groups in the directory of Google cannot be read')
      }
      for (const { email } of listed.data.groups ?? []) found.add(lowerCase(email))
      const { nextPageToken: next } = listed.data
      if (next === undefined) return limited([...found])
      if (deps.elapsed() - began > MAX_LIST_MS) {
        throw new ProviderFailure(
          'unavailable',
          'the directory of Google took too long over groups',
        )
      }
      query.set('pageToken', next)
    }
    const most = MAX_PAGES * PAGE_SIZE
    throw new ProviderFailure('too-many-groups', `the account is in more than ${most} groups`)
  }

  const limited = (groups: readonly string[]) =>
    groups.length > MAX_GROUPS ? groups.filter((group) => namedGroups.includes(group)) : groups

  async function personOf({ issuer, subject }: Account): Promise<Identity> {
    const user = await findUser(subject)
    // The account may have moved to another domain of the Workspace since the sign-in.
    deps.hosted.admitManaged(user.primaryEmail)
    const groups = await listGroups(subject)
    return identityFromClaims(
      {
        iss: issuer,
        sub: subject,
        name: user.name?.fullName,
        email: user.primaryEmail,
        // An administrator of the Workspace gave it, in a domain that Google verified.
        email_verified: true,
        groups,
      },
      'groups',
      deps.tolerated,
    )
  }

  return {
    async groupsOf(subject) {
      // The account first: a list of groups says nothing about it.
      await findUser(subject)
      return listGroups(subject)
    },
    rechecks: { needsHeld: false, ask: async (account) => ({ person: await personOf(account) }) },
  }
}

/** Only Google's own words count: a wrong address must not end everybody's permissions. */
const isNotFound = (body: unknown) => {
  const error = GoogleError.safeParse(body)
  return error.success && error.data.error.errors?.some(({ reason }) => reason === 'notFound')
}

/** Google answers 403 for too many requests as well; 429 is an outage already. */
const isOverQuota = (status: number, body: unknown) => {
  const error = GoogleError.safeParse(body)
  if (status !== 403 || !error.success) return false
  const { message, errors = [] } = error.data.error
  const words = [message, ...errors.map(({ reason }) => reason)]
  return words.some((text) => /quota|(?:rate|daily) ?limit/i.test(text))
}

/**
 * A person from GitHub's answers: the account by its number, the verified primary e-mail, and memberships as groups.
 *
 * @module
 */
import { z } from 'zod'
import { lowerCase } from '../identifiers.ts'
import type { GithubApi, Hidden } from './github-api.ts'
import type { ReportOddity } from './oddities.ts'
import { identityFromClaims } from './oidc-identity.ts'
import { type Identity, ProviderFailure } from './provider.ts'

/** Accounts of Enterprise Managed Users have an underscore. */
const Login = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/)
const Slug = z.string().regex(/^[A-Za-z0-9._-]{1,255}$/)
/** Only a whole number that is exact names an account: another one may be rounded to somebody else's. */
const User = z.looseObject({
  id: z.int().positive(),
  login: Login,
  name: z.string().nullish(),
})
const Emails = z.array(
  z.looseObject({ email: z.string(), primary: z.boolean(), verified: z.boolean() }),
)
/** Names are looked at where they count: those of an organisation elsewhere must keep nobody out. */
const Organisation = z.looseObject({ login: z.string() })
const Organisations = z.array(Organisation)
const Teams = z.array(z.looseObject({ slug: z.string(), organization: Organisation }))

interface PersonDeps {
  readonly issuer: string
  /** False: organisations and teams are not asked for. */
  readonly readsGroups: boolean
  /** The organisations, in lower case, that memberships count of: anybody can make others, under any free name. */
  readonly organisations: readonly string[]
  readonly tolerated: ReportOddity
}

/** @throws ProviderFailure for answers that no correct GitHub gives */
export async function readPerson(api: GithubApi, deps: PersonDeps): Promise<Identity> {
  const { issuer, readsGroups, tolerated } = deps
  const [user, email, groups] = await Promise.all([
    api.read('/user').then((body) => parse(User, body, '/user')),
    primaryEmail(api),
    readsGroups ? groupsOf(api, deps) : [],
  ])
  return identityFromClaims(
    {
      iss: issuer,
      sub: String(user.id),
      preferred_username: user.login,
      name: user.name === '' ? undefined : user.name,
      email,
      email_verified: email !== undefined,
      groups,
    },
    'groups',
    tolerated,
  )
}

/**
 * The verified primary address; the address of the public profile counts for nothing. Without the list the sign-in
 * fails: a person who is known by the e-mail would be taken for another.
 */
async function primaryEmail(api: GithubApi): Promise<string | undefined> {
  const path = '/user/emails'
  const listed = await api.list(path)
  if ('hidden' in listed) throw new ProviderFailure('failed', listed.hidden)
  const primary = parse(Emails, listed, path).filter((entry) => entry.primary)
  if (primary.length > 1) throw new ProviderFailure('failed', `${path} names two primary addresses`)
  return primary[0]?.verified ? primary[0].email : undefined
}

/** `org` and `org/team`, in lower case: GitHub's names ignore case. */
async function groupsOf(
  api: GithubApi,
  { organisations, tolerated }: PersonDeps,
): Promise<readonly string[]> {
  const [own, teams] = await Promise.all([api.list('/user/orgs'), api.list('/user/teams')])
  const shown = (listed: readonly unknown[] | Hidden) => {
    if (!('hidden' in listed)) return listed
    tolerated(`${listed.hidden}; the person counts as no member`)
    return []
  }
  const counts = ({ login }: z.infer<typeof Organisation>) =>
    organisations.includes(lowerCase(login))
  const members = parse(Organisations, shown(own), '/user/orgs').filter(counts)
  const inTeams = parse(Teams, shown(teams), '/user/teams').filter((it) => counts(it.organization))
  const known = inTeams.filter(({ slug }) => Slug.safeParse(slug).success)
  if (known.length < inTeams.length) {
    tolerated('/user/teams has a team with a name that GitHub does not give: it is left out')
  }
  return [
    ...members.map(({ login }) => lowerCase(login)),
    ...known.map(({ slug, organization: { login } }) => lowerCase(`${login}/${slug}`)),
  ]
}

function parse<T>(shape: z.ZodType<T>, body: unknown, path: string): T {
  const parsed = shape.safeParse(body)
  if (parsed.success) return parsed.data
  const where = parsed.error.issues[0]?.path.filter((key) => typeof key === 'string').join('.')
  throw new ProviderFailure(
    'failed',
    `GitHub's answer to ${path} cannot be read${where ? ` (${where})` : ''}`,
  )
}

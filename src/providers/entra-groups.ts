/**
 * Groups and app roles of a person of Entra ID. A token takes 200 groups; of a person in more, Microsoft Graph lists them.
 *
 * @module
 */
import { z } from 'zod'
import { parseJson, type ReportOddity } from './oddities.ts'
import { type Claims, ProviderFailure } from './provider.ts'
import { PROVIDER_TIMEOUT, type ProviderFetch } from './provider-fetch.ts'

const ROLE = 'role:'

interface GroupsDeps {
  /** Without a slash at its end. Where a token says that its groups are is never asked. */
  readonly graphUrl: string
  readonly accessToken: string
  /** Goes before each name where several tenants are let in: each tenant chooses its own names. */
  readonly prefix: string
  /** The groups that lists name, with their prefix. */
  readonly namedGroups: readonly string[]
  readonly tolerated: ReportOddity
  readonly outbound: ProviderFetch
}

/**
 * The `groups` of a token and its app roles as `role:<value>`. A group whose own name begins like that is left out:
 * people name groups, and administrators give roles.
 * @throws ProviderFailure if Graph does not list the groups
 */
export async function groupsOf(signed: Claims, deps: GroupsDeps): Promise<readonly unknown[]> {
  const { prefix, namedGroups, tolerated } = deps
  const roles = texts(signed.roles).map((role) => `${prefix}${ROLE}${role}`)
  const isOver = isOverage(signed)
  const listed = isOver ? await askGraph(deps) : texts(signed.groups)
  const groups = listed.filter((group) => !group.startsWith(ROLE))
  if (groups.length < listed.length) {
    tolerated(
      `the claim groups has a name that begins with ${ROLE}, as roles do here: it is left out`,
    )
  }
  const full = groups.map((group) => prefix + group)
  return [...roles, ...(isOver ? full.filter((group) => namedGroups.includes(group)) : full)]
}

/** Entra names the claim among the distributed ones, or says `hasgroups`, where the groups did not fit. */
function isOverage({ _claim_names: elsewhere, hasgroups, groups }: Claims): boolean {
  if (Array.isArray(groups)) return false
  const isNamed = typeof elsewhere === 'object' && elsewhere !== null && 'groups' in elsewhere
  return isNamed || hasgroups === true || hasgroups === 'true'
}

const Membership = z.looseObject({ value: z.array(z.string()) })

/** Graph lists 11,000 at most, without pages; of a person in more it lists none. */
async function askGraph({
  graphUrl,
  accessToken,
  outbound,
}: GroupsDeps): Promise<readonly string[]> {
  const response = await outbound.send(`${graphUrl}/v1.0/me/getMemberObjects`, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/json',
    },
    body: '{"securityEnabledOnly":false}',
    signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000),
  })
  const body = parseJson(await response.text())
  if (response.status !== 200) {
    throw new ProviderFailure(
      'too-many-groups',
      `the person is in more groups than a token takes, and Microsoft Graph answered ${response.status}${codeOf(body)}: add GroupMember.Read.All to PROVIDER_SCOPES and consent to it, or let Entra send only the groups of this application`,
    )
  }
  const listed = Membership.safeParse(body)
  if (!listed.success || '@odata.nextLink' in listed.data) {
    throw new ProviderFailure('failed', 'the list of groups of Microsoft Graph cannot be read')
  }
  return listed.data.value
}

const GraphError = z.looseObject({ error: z.looseObject({ code: z.string().regex(/^\w{1,64}$/) }) })

function codeOf(body: unknown): string {
  const error = GraphError.safeParse(body)
  return error.success ? ` (${error.data.error.code})` : ''
}

const texts = (claim: unknown): readonly string[] =>
  Array.isArray(claim) ? claim.filter((entry) => typeof entry === 'string') : []

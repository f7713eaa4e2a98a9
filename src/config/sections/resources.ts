/**
 * This folder owns the structured parts of the file: resources, users, clients, static tokens and the provider. It
 * parses no single value (`values/`) and holds no rule across them (`rules/`).
 *
 * All protected MCP servers, from the map in the file or from a flat list of URLs, and the rules between them.
 *
 * @module
 */
import { sha256 } from '../../crypto.ts'
import { BUILTIN_ISSUER, builtinSubject } from '../../providers/provider-config.ts'
import { DEFAULT_PASS_THROUGH } from '../../resources/pass-through.ts'
import type { AllowList } from '../../resources/policy.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import { normalizeHost } from '../../url/host.ts'
import { looselyRead } from '../../url/path.ts'
import type { Disk } from '../sources/disk.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import { isRecord } from '../sources/yaml.ts'
import { labelBelow, parseWith } from '../values/issues.ts'
import { Allow, isEmpty, toAllowList } from '../values/people.ts'
import { attempt, type Report } from '../values/problem.ts'
import { describeScopes } from '../values/scopes.ts'
import { parseResourceUrl } from '../values/urls.ts'
import { mutationKeys } from './header-mutations.ts'
import { ONLY_WITH_UPSTREAM } from './pass-through.ts'
import { buildResource, Resource } from './resource.ts'
import { impliedResources, suggestResources } from './suggest-resources.ts'

/** For somebody who tries it out on their own machine, where the proxy has a port of its own. */
const LOCAL_EXAMPLE = 'http://localhost:8080/mcp'

const LISTS = ['allowed_emails', 'allowed_domains', 'allowed_groups', 'allowed_users'] as const

interface Parts extends Chosen {
  readonly file: FileContents
  /** False if a file that may hold more settings could not be read. */
  readonly complete: boolean
  readonly disk: Disk
  readonly report: Report
}

/** The resources without a problem; the problems of the others go to the report. */
export function buildResources(parts: Parts): ResourceConfig[] {
  const { settings, given, file, report } = parts
  const described = file.resources
  if (described && given.has('resources')) {
    report.problem(
      'RESOURCES',
      'conflicts with the map of resources in the file. Remove one of the two.',
    )
  }
  const urls = settings.resources ?? urlBehindUpstream(parts) ?? urlsBesideUs(parts)
  const entries = described
    ? Object.entries(described).flatMap(([id, value]) => parseResource(id, value, report))
    : resourcesFromUrls(urls)
  checkSomethingIsProtected(parts, described ? Object.keys(described).length : entries.length)

  const allow = globalAllowList(parts)
  if (isEmpty(allow)) checkSomebodyMayPass(parts)
  const offered = settings.allowed_scopes?.length ? settings.allowed_scopes : undefined
  const global = {
    allow,
    scopes: {
      offered: offered && describeScopes(offered),
      required: settings.required_scopes,
    },
    acceptProviderTokens: settings.accept_provider_tokens,
  }
  const label = (id: string, field: string) =>
    described ? `resources.${id}.${field}` : 'RESOURCES'
  const resources = entries.flatMap(([id, resource]) => {
    const built = buildResource(id, resource, { global, disk: parts.disk, report })
    return built ? [built] : []
  })
  checkOverlaps(resources, { report, label })
  const named = withName(resources, entries, parts)
  const complete = withPersonToken(withAuthorization(withUpstream(named, parts), parts), parts)
  checkNeedsUpstream(complete, entries, report)
  return complete
}

/** There the upstream's path comes before that of each request (case sn8). */
const WHOLE_HOST = 'MCP_OAUTH2_PROXY_UPSTREAM_URL'

/** Without a list of resources, the only one is at the gateway's own origin, with the path of the upstream (case sn7). */
function urlBehindUpstream({
  settings,
  given,
  broken,
  report,
}: Parts): readonly string[] | undefined {
  const { public_url: publicUrl, upstream_url: upstream } = settings
  if (given.has('resources') || broken.has('resources')) return []
  if (!given.has('upstream_url')) return undefined
  if (!publicUrl || upstream === undefined) return []
  const label = given.get('upstream_url')?.label ?? 'UPSTREAM_URL'
  const url = attempt(report, label, () =>
    parseResourceUrl(publicUrl.origin + (label === WHOLE_HOST ? '' : new URL(upstream).pathname)),
  )
  return url === undefined ? [] : [url]
}

/** Every host beside ours, where nothing names a server (case sa2). */
function urlsBesideUs({ settings, file, complete, report }: Parts): readonly string[] {
  const implied = impliedResources(settings.public_url)
  if (file.resources || !complete || implied === undefined) return []
  report.warning(
    'RESOURCES',
    `is not set, so every other host of the domain is a protected server, as RESOURCES=${implied} says. Write that line, or the URLs of fewer servers.`,
  )
  return [implied]
}

/** Where no list says who may pass, the people of `USERS` may, and nobody else. */
function globalAllowList({ settings, given }: Parts): AllowList {
  const lists = {
    emails: settings.allowed_emails,
    domains: settings.allowed_domains,
    groups: settings.allowed_groups,
    users: settings.allowed_users,
  }
  const allow = toAllowList(lists, settings.require_verified_email)
  if (settings.provider !== 'builtin' || LISTS.some((list) => given.has(list))) return allow
  const persons = (settings.users ?? []).map(({ name }) => ({
    issuer: BUILTIN_ISSUER,
    subject: builtinSubject(name),
  }))
  return persons.length === 0 ? allow : { ...allow, persons }
}

function parseResource(id: string, value: unknown, report: Report): [string, Resource][] {
  const parsed = parseWith(Resource, value, {
    report,
    label: labelBelow(`resources.${id}`),
    keys: (path) => {
      if (path[0] === 'header_mutations') return mutationKeys(path)
      return Object.keys((path[0] === 'allow' ? Allow : Resource).shape)
    },
  })
  return 'value' in parsed ? [[id, parsed.value]] : []
}

function checkSomethingIsProtected(parts: Parts, count: number): void {
  const { settings, complete, broken, report } = parts
  if (count > 0 || !complete || broken.has('resources')) return
  // The servers follow from them.
  if (parts.given.has('upstream_url') && broken.has('upstream_url')) return
  if (!parts.file.resources && !parts.given.has('resources') && !settings.public_url) return
  const suggested = suggestResources(settings.public_url, settings.cookie_domain)
  const here = settings.public_url?.loopback ? LOCAL_EXAMPLE : 'https://mcp.example.com/mcp'
  const example =
    suggested === undefined
      ? `RESOURCES=${here}`
      : `RESOURCES=${suggested} for every server under ${suggested.replace(/^.*\*\./, '')}`
  report.problem(
    'RESOURCES',
    `is not set, so nothing is protected. Add the URLs of your MCP servers, such as ${example}.`,
  )
}

/** An empty list lets nobody pass, as everywhere. mcpauth lets everybody pass then; here that takes a `*`. */
function checkSomebodyMayPass({ file, complete, broken, report }: Parts): void {
  const lists = [...LISTS, 'users']
  const described = Object.values(file.resources ?? {})
  const allHaveTheirOwn =
    described.length > 0 &&
    described.every((resource) => isRecord(resource) && resource.allow !== undefined)
  if (allHaveTheirOwn || !complete || lists.some((list) => broken.has(list))) return
  report.problem(
    'ALLOWED_EMAILS',
    'is empty, as are ALLOWED_DOMAINS and ALLOWED_GROUPS, so nobody may pass. Set one of them; ALLOWED_EMAILS=* lets in anyone who can log in.',
  )
}

/** `RESOURCE_NAME` is only for show, so where it fits no resource the start goes on. */
function withName(
  resources: ResourceConfig[],
  entries: readonly [id: string, resource: Resource][],
  { settings, given, report }: Parts,
): ResourceConfig[] {
  const { resource_name: name } = settings
  if (name === undefined) return resources
  const label = given.get('resource_name')?.label ?? 'RESOURCE_NAME'
  const [only, ...others] = entries
  if (only === undefined || others.length > 0) {
    report.warning(
      label,
      `has no effect: it is for exactly one resource, and there are ${entries.length}. Give each its own name in gatewarden.yaml.`,
    )
    return resources
  }
  if (only[1].name === undefined) return resources.map((resource) => ({ ...resource, name }))
  report.warning(label, `has no effect, because resources.${only[0]}.name is set too.`)
  return resources
}

function withUpstream(resources: ResourceConfig[], parts: Parts): ResourceConfig[] {
  const { settings, given, file, report } = parts
  const upstream = settings.upstream_url
  if (upstream === undefined) return resources
  const label = given.get('upstream_url')?.label ?? 'UPSTREAM_URL'
  const count = Object.keys(file.resources ?? settings.resources ?? {}).length
  if (count > 1) {
    report.problem(
      label,
      `needs exactly one resource, but there are ${count}. Give each its own upstream in gatewarden.yaml.`,
    )
  }
  return resources.map((resource) => {
    if (resource.upstream !== undefined) {
      report.problem(
        label,
        `conflicts with resources.${resource.id}.upstream. Remove one of the two.`,
      )
    }
    return { ...resource, upstream }
  })
}

/** `UPSTREAM_AUTHORIZATION_HEADER` is for the only server behind us: several must not get each other's secret. */
function withAuthorization(
  resources: ResourceConfig[],
  { settings, report }: Parts,
): ResourceConfig[] {
  const authorization = settings.upstream_authorization_header
  if (authorization === undefined) return resources
  const label = 'UPSTREAM_AUTHORIZATION_HEADER'
  const only = onlyOneBehindUs(resources, { label, key: 'upstream_authorization', report })
  if (!only) return resources
  const rules = only.passThrough ?? DEFAULT_PASS_THROUGH
  if (rules.authorization !== undefined || only.applicationBearer) {
    const other = only.applicationBearer ? 'application_bearer' : 'upstream_authorization'
    report.problem(label, `conflicts with resources.${only.id}.${other}. Remove one of the two.`)
  }
  return resources.map((resource) =>
    resource === only ? { ...only, passThrough: { ...rules, authorization } } : resource,
  )
}

/** `UPSTREAM_PROVIDER_TOKEN` is for the only server behind us: no other one may get people's tokens. */
function withPersonToken(resources: ResourceConfig[], { settings, report }: Parts) {
  const personTokenHeader = settings.upstream_provider_token
  if (personTokenHeader === undefined) return resources
  const label = 'UPSTREAM_PROVIDER_TOKEN'
  const only = onlyOneBehindUs(resources, { label, key: 'upstream_provider_token', report })
  if (!only) return resources
  const rules = only.passThrough ?? DEFAULT_PASS_THROUGH
  if (rules.personTokenHeader !== undefined) {
    report.problem(
      label,
      `conflicts with resources.${only.id}.upstream_provider_token. Remove one of the two.`,
    )
  }
  return resources.map((resource) =>
    resource === only ? { ...only, passThrough: { ...rules, personTokenHeader } } : resource,
  )
}

/** The server that a setting without a name of one is about; none is a problem, and so are several. */
function onlyOneBehindUs(
  resources: readonly ResourceConfig[],
  { label, key, report }: { label: string; key: string; report: Report },
): ResourceConfig | undefined {
  const behindUs = resources.filter(({ upstream }) => upstream !== undefined)
  if (behindUs.length === 1) return behindUs[0]
  report.problem(
    label,
    `needs exactly one resource with an upstream, but there are ${behindUs.length}. Give each its own ${key} in gatewarden.yaml.`,
  )
  return undefined
}

/** A setting for a server behind us that has none would be ignored. */
function checkNeedsUpstream(
  resources: readonly ResourceConfig[],
  entries: readonly [id: string, resource: Resource][],
  report: Report,
): void {
  const behindUs = new Set(resources.filter((r) => r.upstream !== undefined).map(({ id }) => id))
  for (const [id, resource] of entries) {
    if (behindUs.has(id) || !resources.some((built) => built.id === id)) continue
    for (const name of ONLY_WITH_UPSTREAM) {
      if (!(name in resource)) continue
      report.problem(
        `resources.${id}.${name}`,
        'has no effect without upstream: another proxy passes the requests on. Add upstream, or remove it.',
      )
    }
  }
}

/** No two resources may cover the same request, and at most one may be the default. */
function checkOverlaps(
  resources: readonly ResourceConfig[],
  { report, label }: { report: Report; label: (id: string, field: string) => string },
): void {
  const owners = new Map<string, Place>()
  for (const resource of resources) {
    const { id } = resource
    for (const { field, host, path } of placesOf(resource)) {
      const place = host + path
      // A lenient server reads two such paths as one. They are ambiguous, so no request could reach either.
      const key = host + (looselyRead(path) ?? path)
      const owner = owners.get(key)
      if (owner !== undefined && (owner.id !== id || owner.place === place)) {
        const likeness = owner.place === place ? place : `${place} reads like ${owner.place}, which`
        report.problem(
          label(id, field),
          `${likeness} belongs to ${label(owner.id, owner.field)} already. Change or remove one.`,
        )
      }
      owners.set(key, { id, field, place })
    }
  }
  const [first, ...others] = resources.filter((resource) => resource.isDefault)
  for (const { id } of others) {
    report.problem(`resources.${id}.default`, `is also set for ${first?.id}. Keep one of the two.`)
  }
}

interface Place {
  readonly id: string
  /** The setting that names the place. */
  readonly field: 'url' | 'also' | 'aliases'
  /** Host and path. */
  readonly place: string
}

/** Everything that a resource covers: at its URL, and at each host of its second names. */
function placesOf({ url, also, aliases = [] }: ResourceConfig) {
  const hosts = new Set<string>()
  return [url, ...aliases].flatMap((address, index) => {
    const parts = new URL(address)
    const host = normalizeHost(parts.host) ?? parts.host
    const at = (field: Place['field'], path: string) => ({ field, host, path })
    const path = parts.pathname === '/' ? '' : parts.pathname
    const here = [at(index === 0 ? 'url' : 'aliases', path)]
    if (!hosts.has(host)) here.push(...also.map((other) => at('also', other)))
    hosts.add(host)
    return here
  })
}

/**
 * Resources of a flat list, with ids made from host and path. An id depends only on entries that would get the same id,
 * so pinned endpoints keep their names when the list grows.
 */
function resourcesFromUrls(urls: readonly string[]): [id: string, resource: Resource][] {
  const slugs = urls.map((url) =>
    url
      .replace(/^https?:\/\//, '')
      .replace('*', 'any')
      .replace(/[^A-Za-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, ''),
  )
  return urls.map((url, index) => {
    const slug = slugs[index] ?? ''
    const isUnique = slugs.indexOf(slug) === slugs.lastIndexOf(slug)
    const id =
      isUnique && slug.length <= 64 ? slug : `${slug.slice(0, 55)}-${sha256(url).slice(0, 8)}`
    return [id, { url }]
  })
}

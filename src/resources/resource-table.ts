/**
 * Finds the protected resource for a host and path, or for a `resource` parameter (decision K18). This folder owns what
 * is protected and who may use it; it knows no tokens.
 *
 * @module
 */

import { prefixOf } from '../paths.ts'
import { isOwnHost, isOwnName, normalizeHost } from '../url/host.ts'
import {
  canonicalPath,
  depthOf,
  isPlain,
  looselyRead,
  mayClimb,
  readPath,
  splitAfter,
  withoutQuery,
} from '../url/path.ts'
import { type Announcements, liveScopes, NO_ANNOUNCEMENTS } from './announced-scopes.ts'
import type { ScopeCovers } from './covered-scopes.ts'
import { type DiscoveryAt, documentAddress } from './document-address.ts'
import { nearestUrl } from './nearest.ts'
import { compileOpenPaths, type IsOpen } from './open-paths.ts'
import { DEFAULT_PASS_THROUGH, type PassThroughRules } from './pass-through.ts'
import type { AllowList } from './policy.ts'
import { compilePolicy, describeAllowList, type Policy } from './policy.ts'
import { movedPaths, secondNames } from './second-names.ts'
import { type SharedHost, sharedHostOf } from './shared-host.ts'

/**
 * A resource at one address. A wildcard resource becomes one such resource for every host it covers, and a resource with
 * second names one for each of them.
 */
export interface Resource {
  readonly id: string
  /** The configured URL with the concrete host: the `aud` of its tokens, whatever name a client uses. */
  readonly audience: string
  /** Its own address: {@link audience}, or a second name of the same server. */
  readonly url: string
  /** Scheme and host of {@link url}. */
  readonly origin: string
  /** Path of {@link url}; empty for a whole host. */
  readonly path: string
  /** The address of its RFC 9728 document, without the path that the document is about. */
  readonly documentAt: string
  readonly name: string
  /** Each scope that it offers, in words. Read it anew at each use: the server may say others by then. */
  readonly scopes: Readonly<Record<string, string>>
  readonly requiredScopes: readonly string[]
  /** As {@link scopes}, to be read anew. */
  readonly defaultScopes: readonly string[]
  /** The scopes of the configuration alone, whatever the server says. */
  readonly configuredScopes: Readonly<Record<string, string>>
  /** The tools that each scope opens, where the server says so. */
  readonly scopeTools: ReadonlyMap<string, readonly string[]>
  /** The scopes that each one covers, by those tools. */
  readonly scopeCovers: ScopeCovers
  /** True if the server itself named and described the scopes. */
  readonly areScopesAnnounced: boolean
  /** True if people choose among its tools, and our reverse proxy lets no other call pass (`tool-choices.ts`). */
  readonly hasToolChoices: boolean
  /** Where the server behind us takes MCP messages: the paths of `upstream` and `scopes_endpoint`, without a final slash. */
  readonly messagePaths: readonly string[]
  /** Waits a moment for the scopes that the server has now; undefined if there is nothing to wait for. */
  readonly freshScopes: () => Promise<void> | undefined
  readonly also: readonly string[]
  readonly isDefault: boolean
  readonly policy: Policy
  /** Paths that need no token. */
  readonly isOpen: IsOpen
  /** The list behind the policy in words, for events. */
  readonly allowed: string
  /** The resource accepts the provider's own access tokens as bearers. */
  readonly acceptsProviderTokens: boolean
  /** The issuers that its document names; undefined: ours, and the provider's where its tokens are accepted. */
  readonly authorizationServers?: readonly string[]
  /** `Authorization` is the application's own: here a session alone is a credential. */
  readonly hasApplicationBearer: boolean
  /** Its host serves our documents at its root (decision K37). */
  readonly hasRootDocuments: boolean
  /** The server has nothing for browsers. */
  readonly isMcpOnly: boolean
  /** The real address of the server, if Gatewarden is its reverse proxy too. */
  readonly upstream?: { readonly origin: string; readonly path: string }
  /** How requests are passed on to the upstream. */
  readonly passThrough: PassThroughRules
  /** How its pages are kept apart from ours, if it lives on our own host. */
  readonly sharedHost?: SharedHost
}

/** A request matched to its resource. */
export interface ResourceMatch {
  readonly resource: Resource
  /** The path as sent, without query. */
  readonly path: string
  /** True if the path belongs to the resource only by its `also` list. */
  readonly viaAlso: boolean
  /** True if the path needs no token. */
  readonly isOpen: boolean
}

export type MatchResult = ResourceMatch | 'unknown' | 'ambiguous'

export interface ResourceTable {
  /** Each resource at its configured URL. */
  readonly all: readonly Resource[]
  /** {@link all}, and each resource at each of its second names. */
  readonly everywhere: readonly Resource[]
  /** The resource whose URL covers this request. `target` is the request target as sent, with its query. */
  match(host: string, target: string): MatchResult
  /** The resource with this audience, or undefined; wildcard hosts included. */
  byAudience(audience: string): Resource | undefined
  /** The resource that a `resource` parameter means: a URL that it covers, or a bare host with exactly one resource. */
  byIndicator(url: string): Resource | undefined
  /** Every resource of a host once, in the order of the configuration. */
  allAt(host: string): readonly Resource[]
  /** The only resource of a host; undefined if the host has none or several. */
  onlyOneAt(host: string): Resource | undefined
  /** The resource for a client that names none: the resource marked default, or the only one. */
  readonly fallback: Resource | undefined
  /** Scheme and host of the resources that live at this host, or undefined if none does. */
  originAt(host: string): string | undefined
  /** True if a resource lives at our own host. */
  readonly isOurHostShared: boolean
  /** True unless such a resource's pages may be of our own origin (decision K36). */
  readonly isOurHostGuarded: boolean
  /** True if any resource lives at this host. */
  hasHost(host: string): boolean
  /** The configured URL that an unknown address resembles most, or undefined if nothing is configured. */
  nearest(host: string, target: string): string | undefined
}

interface Prefix {
  readonly path: string
  readonly resource: Resource
  readonly isAlso: boolean
}

interface MatchablePrefix extends Prefix {
  /** Paths of other resources, as {@link looselyRead}, that a forgiving server may find under this path. */
  readonly rivals: readonly string[]
  /** The number of segments in which every reading of a path must agree: those of the deepest rival. */
  readonly depth: number
}

export interface TableOptions {
  /**
   * Our own origin, with `PATH_PREFIX`. No wildcard covers its host, whose pages are ours; a resource that names the host
   * does (threat T36), but not what lies below the prefix.
   */
  readonly publicUrl?: string
  /** The host that serves the documents which challenges name. Absent: `resource`. */
  readonly discoveryAt?: DiscoveryAt
  /** The scopes that servers say they have. Absent: no server is asked. */
  readonly announcements?: Announcements
}

const MAX_RESOLVED_HOSTS = 1000
const MAX_INDICATOR_LENGTH = 2048

/** True if `path` is the prefix or below it. */
export const covers = (prefix: string, path: string) =>
  path === prefix || (path.startsWith(prefix) && (prefix === '' || path[prefix.length] === '/'))

/**
 * Compiles the configured resources into one table. Wildcard hosts are resolved on first use, into a bounded cache.
 */
export function createResourceTable(
  configured: readonly ResourceConfig[],
  options: TableOptions = {},
): ResourceTable {
  const { publicUrl } = options
  const all = configured.map((config) => compile(config, options))
  const exact = new Map<string, Prefix[]>()
  const wildcards: { suffix: string; config: ResourceConfig }[] = []
  configured.forEach((config, index) => {
    const host = normalizeHost(new URL(config.url).host)
    if (host === undefined) {
      wildcards.push({ suffix: new URL(config.url).host.toLowerCase().slice(1), config })
      return
    }
    const resource = all[index]
    if (resource) exact.set(host, [...(exact.get(host) ?? []), ...prefixes(resource)])
  })
  const aliases = secondNames(configured, publicUrl).map(({ config, url }) =>
    compile({ ...config, url, openPaths: movedPaths(config, url) }, options, config.url),
  )
  for (const alias of aliases) {
    const host = normalizeHost(new URL(alias.url).host)
    if (host !== undefined) exact.set(host, [...(exact.get(host) ?? []), ...prefixes(alias)])
  }
  const everywhere = [...all, ...aliases]
  const resolved = new Map<string, readonly MatchablePrefix[]>()
  const isOurs = (host: string) => publicUrl !== undefined && isOwnName(host, publicUrl)
  const isBelowPrefix = createPrefixTest(publicUrl)
  // With a prefix the rest of our host belongs to other programs, be they protected here or not.
  const hasPrefix = publicUrl !== undefined && prefixOf(publicUrl) !== ''

  function at(host: string): readonly MatchablePrefix[] {
    const known = resolved.get(host)
    if (known) return known
    const prefixesHere = [
      ...(exact.get(host) ?? []),
      ...wildcards
        .filter(({ suffix }) => isLabelBefore(host, suffix) && !isOurs(host))
        .flatMap(({ config }) => onHost(config, host) ?? [])
        .flatMap((config) => prefixes(compile(config, options))),
    ]
    if (prefixesHere.length === 0) return []
    const list = withRivals(prefixesHere.sort(longestFirst))
    // Bounded: a wildcard takes a slot for each host name that somebody asks for.
    if (resolved.size >= MAX_RESOLVED_HOSTS) resolved.clear()
    resolved.set(host, list)
    return list
  }

  function match(host: string, target: string): MatchResult {
    const canonicalHost = normalizeHost(host)
    if (canonicalHost === undefined) return 'unknown'
    const path = withoutQuery(target)
    const read = readPath(path)
    if (read === undefined) return 'ambiguous'
    const { canonical } = read
    if (isBelowPrefix(canonicalHost, canonical)) return read.isOdd ? 'ambiguous' : 'unknown'
    const prefix = at(canonicalHost).find((candidate) => covers(candidate.path, canonical))
    if (!prefix) return read.isOdd ? 'ambiguous' : 'unknown'
    if (prefix.rivals.length > 0 && mayBeOfRival(canonical, prefix)) return 'ambiguous'
    // Some of the paths on our own host are our pages.
    if (read.isOdd && isOurs(canonicalHost) && prefix.path === '' && !isPlain(canonical, 1)) {
      return 'ambiguous'
    }
    if ((read.isOdd || canonical.includes('%')) && mayClimb(canonical)) return 'ambiguous'
    const { resource } = prefix
    return {
      resource,
      path,
      viaAlso: prefix.isAlso,
      // Some servers find their routes before they decode an escape.
      isOpen: !read.isOdd && !path.includes('%') && resource.isOpen(canonical),
    }
  }

  function hereAt(host: string) {
    const canonicalHost = normalizeHost(host)
    return canonicalHost === undefined ? [] : at(canonicalHost)
  }

  function allAt(host: string): readonly Resource[] {
    const place = ({ id }: Resource) => configured.findIndex((config) => config.id === id)
    const isAlias = ({ url, audience }: Resource) => Number(url !== audience)
    const here = hereAt(host)
      .filter(({ isAlso }) => !isAlso)
      .map(({ resource }) => resource)
      .sort((a, b) => place(a) - place(b) || isAlias(a) - isAlias(b))
    return here.filter(({ id }, index) => here[index - 1]?.id !== id)
  }

  function onlyOneAt(host: string): Resource | undefined {
    const here = allAt(host)
    return here.length === 1 ? here[0] : undefined
  }

  function byIndicator(url: string): Resource | undefined {
    // RFC 8707 section 2 discourages a query but allows it. The query says nothing about the resource.
    if (url.length > MAX_INDICATOR_LENGTH) return undefined
    const parts = /^https?:\/\/([^/?#]+)(\/[^?#]*)?(?:\?[^#]*)?$/i.exec(url)
    if (!parts) return undefined
    const host = parts[1] ?? ''
    const path = parts[2] || '/'
    const found = match(host, path)
    if (typeof found !== 'string') return found.resource
    return found === 'unknown' && path === '/' ? onlyOneAt(host) : undefined
  }

  return {
    all,
    everywhere,
    match,
    allAt,
    onlyOneAt,
    byIndicator,
    byAudience: (audience) => {
      const resource = byIndicator(audience)
      return resource?.audience === audience ? resource : undefined
    },
    fallback: [
      all.find((resource) => resource.isDefault),
      all.length === 1 ? all[0] : undefined,
    ].find(
      // A wildcard has no audience until a request names a host.
      (resource) => resource !== undefined && !resource.origin.includes('*'),
    ),
    originAt: (host) => hereAt(host)[0]?.resource.origin,
    isOurHostShared: hasPrefix || everywhere.some(({ sharedHost }) => sharedHost !== undefined),
    isOurHostGuarded:
      everywhere.every(
        ({ sharedHost }) => sharedHost === undefined || sharedHost === 'sandboxed',
      ) &&
      (!hasPrefix || isWholeHostGuarded(everywhere)),
    hasHost: (host) => hereAt(host).length > 0,
    nearest: (host, target) =>
      nearestUrl(
        { host, target },
        all.map(({ audience }) => audience),
      ),
  }
}

/** True if a sandboxed server has every path of our host: then no page there is outside of a sandbox. */
const isWholeHostGuarded = (resources: readonly Resource[]): boolean =>
  resources.some(({ sharedHost, path }) => sharedHost === 'sandboxed' && path === '')

/** Tells the paths of our own host that `PATH_PREFIX` makes ours. */
function createPrefixTest(publicUrl: string | undefined): (host: string, path: string) => boolean {
  const prefix = publicUrl === undefined ? '' : prefixOf(publicUrl)
  if (publicUrl === undefined || prefix === '') return () => false
  return (host, path) => covers(prefix, path) && isOwnHost(host, publicUrl)
}

/** @param audience differs from the URL of the config for a second name */
function compile(
  config: ResourceConfig,
  { publicUrl, discoveryAt, announcements = NO_ANNOUNCEMENTS }: TableOptions,
  audience = config.url,
): Resource {
  const live = liveScopes(config, announcements)
  const sharedHost = publicUrl === undefined ? undefined : sharedHostOf(config, publicUrl)
  const { protocol, host, pathname } = new URL(config.url)
  const path = pathname === '/' ? '' : (canonicalPath(pathname) ?? pathname)
  return {
    id: config.id,
    audience,
    url: config.url,
    origin: `${protocol}//${host}`,
    path,
    documentAt: documentAddress(`${protocol}//${host}`, { publicUrl, discoveryAt }),
    name: config.name,
    get scopes() {
      return live().scopes
    },
    requiredScopes: config.requiredScopes,
    get defaultScopes() {
      return live().defaultScopes
    },
    configuredScopes: config.scopes,
    get scopeTools() {
      return live().scopeTools
    },
    get scopeCovers() {
      return live().scopeCovers
    },
    get areScopesAnnounced() {
      return live().areAnnounced
    },
    hasToolChoices: config.toolChoices ?? false,
    messagePaths: [config.upstream, config.scopesEndpoint].flatMap((address) =>
      address === undefined ? [] : [new URL(address).pathname.replace(/\/$/, '')],
    ),
    freshScopes: () => announcements.fresh(config.id),
    also: config.also,
    isDefault: config.isDefault,
    policy: compilePolicy(config.allow),
    isOpen: compileOpenPaths(config.openPaths),
    allowed: describeAllowList(config.allow),
    acceptsProviderTokens: config.acceptProviderTokens,
    ...(config.authorizationServers && { authorizationServers: config.authorizationServers }),
    hasApplicationBearer: config.applicationBearer ?? false,
    hasRootDocuments: config.rootDocuments ?? true,
    isMcpOnly: config.mcpOnly ?? false,
    ...(config.upstream !== undefined && { upstream: splitUpstream(config.upstream) }),
    passThrough: config.passThrough ?? DEFAULT_PASS_THROUGH,
    ...(sharedHost !== undefined && { sharedHost }),
  }
}

function splitUpstream(upstream: string): { origin: string; path: string } {
  const { origin, pathname } = new URL(upstream)
  return { origin, path: pathname }
}

function prefixes(resource: Resource): Prefix[] {
  return [
    { path: resource.path, resource, isAlso: false },
    ...resource.also.map((path) => ({ path, resource, isAlso: true })),
  ]
}

const longestFirst = (a: Prefix, b: Prefix) => b.path.length - a.path.length

/**
 * Adds to each prefix its rivals: paths of other resources, at least as specific, that a forgiving server may read in
 * its place. Equal paths are no rivals: the first resource counts, as an exact host counts before a wildcard.
 */
function withRivals(here: readonly Prefix[]): MatchablePrefix[] {
  const read = here.map((prefix) => ({ ...prefix, loose: looselyRead(prefix.path) ?? prefix.path }))
  return read.map(({ loose, ...prefix }) => {
    const rivals = read
      .filter(({ resource, path }) => resource.id !== prefix.resource.id && path !== prefix.path)
      .filter((other) => covers(loose, other.loose))
    return {
      ...prefix,
      rivals: rivals.map((other) => other.loose),
      depth: Math.max(0, ...rivals.map((other) => depthOf(other.path))),
    }
  })
}

/**
 * True if a server may read the path as one of another resource. As far down as such a resource lies, only plain
 * segments have a single reading; letters may still differ in case.
 */
function mayBeOfRival(canonical: string, { path, rivals, depth }: MatchablePrefix): boolean {
  if (!isPlain(canonical.slice(path.length), depth - depthOf(path))) return true
  const loose = looselyRead(splitAfter(canonical, depth)[0])
  return loose === undefined || rivals.some((rival) => covers(rival, loose))
}

/**
 * RFC 6125 section 6.4.3: a wildcard stands for exactly one label. A label longer than DNS allows would only fill the
 * cache of resolved hosts.
 */
function isLabelBefore(host: string, suffix: string): boolean {
  return host.endsWith(suffix) && /^[a-z0-9_-]{1,63}$/.test(host.slice(0, -suffix.length))
}

/** Undefined for a host that no URL can have, such as broken punycode. */
function onHost(config: ResourceConfig, host: string): ResourceConfig | undefined {
  const url = new URL(config.url)
  url.host = host
  if (url.host !== host) return undefined
  const real = url.pathname === '/' ? url.origin : url.href
  const name = config.name === nameOfUnnamed(config.url) ? nameOfUnnamed(real) : config.name
  return { ...config, url: real, name }
}

/** The name that people read of a server without one: its address, of a wildcard that of the host that is meant. */
export const nameOfUnnamed = (url: string): string => url.replace(/^https?:\/\//, '')

/** A protected MCP server as configured. */
export interface ResourceConfig {
  /** Names the pinned endpoints (`/auth/traefik/r/<id>`): `[A-Za-z0-9._-]{1,64}`. */
  readonly id: string
  /**
   * Canonical URL and the audience of its tokens: http or https, lower-case host (may start with `*.`), no default
   * port, no trailing slash, no query.
   */
  readonly url: string
  /** Further addresses of the same server, in the form of `url`, without a wildcard. Absent: none. */
  readonly aliases?: readonly string[]
  /** Shown to people. */
  readonly name: string
  /** Each scope with its meaning in words. Never empty. */
  readonly scopes: Readonly<Record<string, string>>
  readonly requiredScopes: readonly string[]
  readonly defaultScopes: readonly string[]
  /**
   * Present if no setting lists the scopes: the server may say which it has, and these, named by other settings, are
   * offered beside them.
   */
  readonly scopesBeside?: Readonly<Record<string, string>>
  /** People choose among the tools of the server, in place of scopes. Absent: false. */
  readonly toolChoices?: boolean
  /** The address at which the server says its scopes, if it is not {@link upstream}. */
  readonly scopesEndpoint?: string
  /** Further absolute paths on the same host that belong to the resource. */
  readonly also: readonly string[]
  /** True if a client that names no resource means this resource. */
  readonly isDefault: boolean
  readonly allow: AllowList
  /** Exact paths that need no token, and `/path/*` for everything below one. Absent: none. */
  readonly openPaths?: readonly string[]
  /** The resource accepts the provider's own access tokens as bearers, beside ours. */
  readonly acceptProviderTokens: boolean
  /** The issuers that its document names, in this order. Absent: ours, and the provider's if its tokens are accepted. */
  readonly authorizationServers?: readonly string[]
  /** Absent: false. */
  readonly applicationBearer?: boolean
  /** False: the documents at the root of its host belong to other applications. */
  readonly rootDocuments?: false
  /** The server has nothing for browsers. Absent: false. */
  readonly mcpOnly?: boolean
  /** The real address of the server, if Gatewarden is its reverse proxy too. */
  readonly upstream?: string
  /** Absent: {@link DEFAULT_PASS_THROUGH}. */
  readonly passThrough?: PassThroughRules
  /**
   * On the host of our own pages: `sandboxed` if the proxy in front gives each page of the server an origin of its own,
   * `pages` if its pages need ours.
   */
  readonly sharedHost?: 'pages' | 'sandboxed'
}

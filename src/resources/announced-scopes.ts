/**
 * The scopes that a server says it has, beside those of the configuration (decision 0061). Pure: `src/mcp/` asks the
 * server and keeps its answer.
 *
 * @module
 */
import { coversOf, type ScopeCovers } from './covered-scopes.ts'
import { isToolScope } from './tool-choices.ts'

/** A scope in the server's own words, with the tools that it opens. */
export interface AnnouncedScope {
  readonly name: string
  readonly description: string
  readonly tools: readonly string[]
}

/** The last good answers of the servers, by the ids of their resources. */
export interface Announcements {
  /** The same array until the server says something else; undefined before its first good answer. */
  of(id: string): readonly AnnouncedScope[] | undefined
  /**
   * Asks the server again if its answer is old, and waits for it a moment. It never rejects: without an answer the last
   * good one counts, and before that the configuration.
   * @returns undefined if there is nothing to wait for
   */
  fresh(id: string): Promise<void> | undefined
}

/** The scopes of a resource as they are now. */
export interface LiveScopes {
  readonly scopes: Readonly<Record<string, string>>
  readonly defaultScopes: readonly string[]
  /** The tools that a scope opens, as the server says. */
  readonly scopeTools: ReadonlyMap<string, readonly string[]>
  /** The scopes that each one covers. Made once for what the server says: strangers have pages made of it. */
  readonly scopeCovers: ScopeCovers
  /** True if the server itself named and described the scopes. */
  readonly areAnnounced: boolean
}

/** The settings that say whether a server is asked, and where. */
interface Asked {
  /**
   * Present if no setting lists the scopes: the server may say which it has, and these, named by other settings, are
   * offered beside them.
   */
  readonly scopesBeside?: Readonly<Record<string, string>>
  readonly scopesEndpoint?: string
  readonly upstream?: string
  readonly toolChoices?: boolean
}

interface Scoped extends Asked {
  readonly id: string
  readonly scopes: Readonly<Record<string, string>>
  readonly defaultScopes: readonly string[]
}

/**
 * The address that is asked for scopes. Without `scopes_endpoint` the server behind us is asked, if no list of the
 * configuration settles them.
 */
export function scopesAddress(config: Asked): string | undefined {
  return config.scopesEndpoint ?? (config.scopesBeside === undefined ? undefined : config.upstream)
}

/** True if the server may add this scope, which the configuration does not name. */
export const mayAnnounce = (config: Asked, scope: string): boolean =>
  config.scopesBeside !== undefined &&
  scopesAddress(config) !== undefined &&
  (!config.toolChoices || isToolScope(scope))

/** Reads the scopes of a resource anew at each call; the same object until the server says something else. */
export function liveScopes(config: Scoped, announcements: Announcements): () => LiveScopes {
  const configured: LiveScopes = {
    scopes: config.scopes,
    defaultScopes: config.defaultScopes,
    scopeTools: new Map(),
    scopeCovers: new Map(),
    areAnnounced: false,
  }
  if (scopesAddress(config) === undefined) return () => configured
  let made: { said: readonly AnnouncedScope[]; live: LiveScopes } | undefined
  return () => {
    const said = announcements.of(config.id) ?? []
    if (said.length === 0) return configured
    if (made?.said !== said) made = { said, live: merge(config, said) }
    return made.live
  }
}

/**
 * A list of the configuration is whole: the server only says which tools its scopes open. Without a list its scopes are
 * offered, beside those that other settings name.
 */
function merge(config: Scoped, said: readonly AnnouncedScope[]): LiveScopes {
  const { scopesBeside: beside } = config
  const isOffered = (name: string) => beside !== undefined || Object.hasOwn(config.scopes, name)
  const scopeTools = new Map(
    said.filter(({ name }) => isOffered(name)).map(({ name, tools }) => [name, tools]),
  )
  const scopeCovers = coversOf(scopeTools)
  if (beside === undefined) {
    const { scopes, defaultScopes } = config
    return { scopes, defaultScopes, scopeTools, scopeCovers, areAnnounced: false }
  }
  const scopes = Object.fromEntries([
    ...said.map(({ name, description }) => [name, description] as const),
    ...Object.entries(beside).filter(([name]) => !scopeTools.has(name)),
  ])
  return {
    scopes,
    // Where a setting names scopes, the default ones follow from it (decision K17).
    defaultScopes: Object.keys(beside).length > 0 ? config.defaultScopes : Object.keys(scopes),
    scopeTools,
    scopeCovers,
    areAnnounced: true,
  }
}

/** For programs that ask no server. */
export const NO_ANNOUNCEMENTS: Announcements = { of: () => undefined, fresh: () => undefined }

/**
 * Which scopes cover which others, by the tools that they open (B8). Pure.
 *
 * @module
 */

/** The other scopes whose tools are all among those of a scope; two equal ones cover each other. */
export type ScopeCovers = ReadonlyMap<string, ReadonlySet<string>>

/** @param scopeTools the tools of each scope. Nothing is known of a scope without tools: it covers none, nor is it covered */
export function coversOf(scopeTools: ReadonlyMap<string, readonly string[]>): ScopeCovers {
  const sets = [...scopeTools].map(([name, tools]) => ({ name, tools: new Set(tools) }))
  const known = sets.filter(({ tools }) => tools.size > 0)
  return new Map(
    known.map((larger) => [
      larger.name,
      new Set(known.filter((smaller) => isWithin(smaller, larger)).map(({ name }) => name)),
    ]),
  )
}

interface Opened {
  readonly tools: ReadonlySet<string>
}

function isWithin(smaller: Opened, larger: Opened): boolean {
  if (smaller === larger || smaller.tools.size > larger.tools.size) return false
  for (const tool of smaller.tools) if (!larger.tools.has(tool)) return false
  return true
}

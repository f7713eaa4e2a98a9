/**
 * The scopes of a server whose people choose its tools (setting `tool_choices`): all, those that only read, or single
 * ones. Gatewarden makes them of the server's list of tools, and its reverse proxy enforces them (decision 0061). Pure.
 *
 * @module
 */

export const ALL_TOOLS = 'tools:all'
export const READING_TOOLS = 'tools:read'
const SINGLE = 'tool:'

/** True for a scope that people can choose where `tool_choices` is on. */
export const isToolScope = (scope: string): boolean =>
  scope === ALL_TOOLS || scope === READING_TOOLS || scope.startsWith(SINGLE)

/** The scope of a single tool. */
export const toolScope = (tool: string): string => SINGLE + tool

/** The two scopes that such a server has before it said its tools, in words. */
export const TOOL_SCOPES: Readonly<Record<string, string>> = {
  [ALL_TOOLS]: 'Use all of its tools, also those that it gets later',
  [READING_TOOLS]: 'Use only tools that change nothing, by the word of the server',
}

/**
 * The tools that a caller with these scopes may call.
 * @param scopeTools the tools of each scope, as the server says them now; a scope that it did not speak of opens none
 * @returns undefined for all
 */
export function allowedTools(
  scopes: readonly string[],
  scopeTools: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> | undefined {
  if (scopes.includes(ALL_TOOLS)) return undefined
  return new Set(
    scopes.flatMap((scope) => {
      if (scope === READING_TOOLS) return scopeTools.get(scope) ?? []
      return scope.startsWith(SINGLE) ? [scope.slice(SINGLE.length)] : []
    }),
  )
}

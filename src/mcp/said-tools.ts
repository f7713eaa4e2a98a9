/**
 * Makes scopes of the tools that a server lists, by its own annotations (MCP 2025-11-25, tool annotations). They are its
 * word, and the consent page says so. Pure.
 *
 * @module
 */
import { z } from 'zod'
import { isScopeToken } from '../oauth/scope.ts'
import { displayText } from '../pages/display-text.ts'
import { ALL_TOOLS, READING_TOOLS, TOOL_SCOPES, toolScope } from '../resources/tool-choices.ts'
import { MAX_BOXES, MAX_NAMES_LENGTH, MAX_TOOL_NAME, type SaidScopes } from './said-scopes.ts'

const Tool = z.object({
  name: z.string().min(1).max(MAX_TOOL_NAME),
  annotations: z.unknown().optional(),
})
const Annotations = z.object({
  readOnlyHint: z.boolean().optional(),
  destructiveHint: z.boolean().optional(),
})
type Annotations = z.infer<typeof Annotations>

/** All tools, those that only read, and each by itself where a scope can have its name and a page room for it. */
export function scopesOfTools(listed: readonly unknown[]): SaidScopes {
  const tools = new Map<string, Annotations>()
  for (const entry of listed) {
    const tool = Tool.safeParse(entry)
    if (!tool.success) continue
    const { name } = tool.data
    const hints = Annotations.safeParse(tool.data.annotations).data ?? {}
    // Of two tools with one name nobody knows which is called: it reads only if both do.
    const before = tools.get(name)
    tools.set(name, before && !before.readOnlyHint ? before : hints)
  }
  const names = [...tools.keys()]
  const single = names.filter((name) => isScopeToken(toolScope(name)))
  const fits =
    single.length <= MAX_BOXES && single.map(toolScope).join(' ').length <= MAX_NAMES_LENGTH
  const offered = fits ? single : []
  const group = (scope: string, opened: readonly string[]) => ({
    name: scope,
    description: TOOL_SCOPES[scope] ?? scope,
    tools: opened,
  })
  return {
    scopes: [
      group(ALL_TOOLS, names),
      group(
        READING_TOOLS,
        names.filter((name) => tools.get(name)?.readOnlyHint === true),
      ),
      ...offered.map((name) => ({
        name: toolScope(name),
        description: `${displayText(name)} (${effectOf(tools.get(name) ?? {})})`,
        tools: [name],
      })),
    ],
    leftOut: listed.length - offered.length,
  }
}

/** The protocol's defaults: a tool may change things, and destroy some. */
function effectOf({ readOnlyHint = false, destructiveHint = true }: Annotations): string {
  if (readOnlyHint) return 'changes nothing'
  return destructiveHint ? 'may change or delete' : 'adds, and deletes nothing'
}

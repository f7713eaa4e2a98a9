/**
 * Reads the scopes that a server says it has, in `_meta.scopes` of its answer to `tools/list`. The server is not trusted
 * with them: names become tokens and headers, texts stand on the consent page. Pure.
 *
 * @module
 */
import { z } from 'zod'
import { isScopeToken, OFFLINE_ACCESS } from '../oauth/scope.ts'
import { displayText } from '../pages/display-text.ts'
import type { AnnouncedScope } from '../resources/announced-scopes.ts'

/** A form has room for that many boxes, and a header of a token for that many characters. */
export const MAX_BOXES = 100
export const MAX_NAMES_LENGTH = 8000
const MAX_DESCRIPTION = 200
const MAX_TOOLS = 500
export const MAX_TOOL_NAME = 128
/** The tools of all scopes together: pages list them, and each scope is compared with each other one. */
const MAX_ALL_TOOLS = 2000

const Entry = z.object({
  name: z.string().refine((name) => isScopeToken(name) && name !== OFFLINE_ACCESS),
  description: z.string().optional(),
  // A shortened list would make the scope look smaller than it is, so an entry with too many is left out.
  tools: z.array(z.string().min(1).max(MAX_TOOL_NAME)).max(MAX_TOOLS).optional(),
})

export interface SaidScopes {
  readonly scopes: readonly AnnouncedScope[]
  /** Entries that are no scopes, repeat a name, or are too many. */
  readonly leftOut: number
}

/** @param meta the `_meta` of a result, as it came */
export function readSaidScopes(meta: unknown): SaidScopes {
  const entries: readonly unknown[] = listIn(meta)
  const scopes = new Map<string, AnnouncedScope>()
  let length = 0
  let opened = 0
  for (const entry of entries.slice(0, MAX_BOXES)) {
    const parsed = Entry.safeParse(entry)
    if (!parsed.success || scopes.has(parsed.data.name)) continue
    const { name, description = '' } = parsed.data
    const tools = [...new Set(parsed.data.tools)]
    if (opened + tools.length > MAX_ALL_TOOLS) continue
    opened += tools.length
    length += name.length + 1
    if (length > MAX_NAMES_LENGTH) break
    scopes.set(name, { name, description: words(description, name), tools })
  }
  return { scopes: [...scopes.values()], leftOut: entries.length - scopes.size }
}

const Meta = z.object({ scopes: z.array(z.unknown()) })

function listIn(meta: unknown): readonly unknown[] {
  const parsed = Meta.safeParse(meta)
  return parsed.success ? parsed.data.scopes : []
}

/** A line for the consent page, as for a scope of the configuration without a description. */
function words(description: string, name: string): string {
  const text = displayText(description.slice(0, 4 * MAX_DESCRIPTION), `Use "${name}"`)
  const characters = [...text]
  return characters.length <= MAX_DESCRIPTION
    ? text
    : `${characters.slice(0, MAX_DESCRIPTION - 1).join('')}…`
}

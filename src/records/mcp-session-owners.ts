/**
 * Binds each `Mcp-Session-Id` to the caller who used it first (threat T27): servers of MCP 2025-11-25 and before take it
 * for a proof of who calls. The binding never changes, so a process that knows it asks nobody.
 *
 * @module
 */
import { LRUCache } from 'lru-cache'
import { sha256 } from '../crypto.ts'
import type { Records } from './records.ts'

/** Seconds without a use after which another caller may have the id: longer than a server keeps a session. */
export const MCP_SESSION_LIFETIME = 7 * 24 * 3600
/** Seconds. The store learns of a session in use no more often than this. */
const RENEWAL = 24 * 3600
/** Sessions that a process remembers; others are read again. */
const MAX_REMEMBERED = 20_000

export interface McpSessionOwners {
  /**
   * True if the session belongs to this caller, who gets it if nobody has used it before. At once if this process has
   * seen the session; else rejects with StorageUnavailable if the store does not answer.
   * @param audience of the resource: each has session ids of its own
   * @param sub the stable id of the caller
   */
  isOwner(audience: string, sessionId: string, sub: string): boolean | Promise<boolean>
}

interface Known {
  readonly owner: string
  /** Milliseconds of {@link createMcpSessionOwners}' clock. */
  readonly at: number
}

/** @param deps `elapsed`: milliseconds on a clock that is never set back */
export function createMcpSessionOwners(deps: {
  readonly sessions: Records['mcpSessions']
  readonly elapsed: () => number
}): McpSessionOwners {
  const { sessions, elapsed } = deps
  const known = new LRUCache<string, Known>({ max: MAX_REMEMBERED })

  async function find(key: string, sub: string): Promise<boolean> {
    const owner = await sessions.claim(key, sub, MCP_SESSION_LIFETIME)
    known.set(key, { owner, at: elapsed() })
    return owner === sub
  }

  return {
    isOwner(audience, sessionId, sub) {
      // A hash: ids are of any length, and a store may not hand out ids that open sessions.
      const key = sha256(`${audience} ${sessionId}`)
      const found = known.get(key)
      const age = found === undefined ? Number.POSITIVE_INFINITY : (elapsed() - found.at) / 1000
      if (found === undefined || age >= MCP_SESSION_LIFETIME) return find(key, sub)
      if (found.owner !== sub) return false
      if (age >= RENEWAL) {
        known.set(key, { ...found, at: elapsed() })
        sessions.renew(key, sub, MCP_SESSION_LIFETIME).catch(() => known.set(key, found))
      }
      return true
    },
  }
}

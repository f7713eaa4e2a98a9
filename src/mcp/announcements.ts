/**
 * Keeps what each server says of its scopes: asked again after five minutes when somebody needs it, once at a time, and
 * never waited for longer than a moment. The last good answer counts while the server is down, also after a restart.
 *
 * @module
 */
import type { Events } from '../events.ts'
import { type Cached, createCached } from '../providers/cached.ts'
import type { Records } from '../records/records.ts'
import {
  type AnnouncedScope,
  type Announcements,
  scopesAddress,
} from '../resources/announced-scopes.ts'
import type { ResourceConfig } from '../resources/resource-table.ts'
import type { AskTools } from './ask-tools.ts'
import { headersFor } from './own-headers.ts'
import { readSaidScopes, type SaidScopes } from './said-scopes.ts'
import { scopesOfTools } from './said-tools.ts'
import { createScopeCopy } from './scope-copies.ts'

const MAX_AGE_MS = 5 * 60_000
const RETRY_AFTER_MS = 60_000
/** A person who signs in waits that long for a server that hangs. */
const WAIT_MS = 2000
/** Scopes in an event. */
const MAX_LISTED = 20

export interface AnnouncementDeps {
  readonly ask: AskTools
  readonly events: Events
  /** Milliseconds on a clock that is never set back. */
  readonly elapsed: () => number
  readonly records: Records['serverScopes']
  /** Absent: two seconds. */
  readonly waitMs?: number
}

export interface KeptAnnouncements extends Announcements {
  /** Ends the conversations that go on. */
  close(): void
}

interface Kept {
  said: readonly AnnouncedScope[] | undefined
  readonly answer: Cached<void>
}

export function createAnnouncements(
  resources: readonly ResourceConfig[],
  { ask, events, elapsed, records, waitMs = WAIT_MS }: AnnouncementDeps,
): KeptAnnouncements {
  const closing = new AbortController()
  const all = new Map(
    resources.flatMap((config) => {
      const address = scopesAddress(config)
      return address === undefined ? [] : [[config.id, keep(config, address)] as const]
    }),
  )

  function keep(config: ResourceConfig, address: string): Kept {
    const { id: resource } = config
    const url = new URL(address)
    const headers = headersFor(url, config)
    const copy = createScopeCopy(config, address, { records, elapsed })
    let isUnread = false
    const load = async () => {
      const remembered = remember()
      try {
        const { meta, tools } = await ask(url, { headers, signal: closing.signal })
        const said = config.toolChoices ? scopesOfTools(tools) : readSaidScopes(meta)
        take(said)
        isUnread = false
        await copy.write(said.scopes)
      } catch (error) {
        // Once is enough: it is tried again each minute that somebody needs it.
        if (!isUnread && !closing.signal.aborted) {
          events.emit({
            event: 'server-scopes-unread',
            resource,
            url: url.href,
            reason: textOf(error),
          })
        }
        isUnread = true
        await remembered
        throw error
      }
    }
    /** The server may be down since before this process began. */
    const remember = async () => {
      if (kept.said !== undefined) return
      const said = await copy.read()
      kept.said ??= said
    }
    const take = ({ scopes, leftOut }: SaidScopes) => {
      if (JSON.stringify(scopes) === JSON.stringify(kept.said ?? [])) {
        kept.said ??= scopes
        return
      }
      kept.said = scopes
      events.emit({
        event: 'server-scopes-read',
        resource,
        scopes: scopes.slice(0, MAX_LISTED).map(({ name }) => name),
        count: leftOut,
      })
    }
    const kept: Kept = {
      said: undefined,
      answer: createCached({ load, maxAgeMs: MAX_AGE_MS, retryAfterMs: RETRY_AFTER_MS, elapsed }),
    }
    return kept
  }

  const fresh = (id: string) => {
    const kept = all.get(id)
    return (
      kept &&
      orAfter(
        waitMs,
        kept.answer.get().catch(() => undefined),
      )
    )
  }
  return {
    of: (id) => all.get(id)?.said,
    fresh,
    close: () => closing.abort(),
  }
}

/** Resolves with the promise, or after a time. */
async function orAfter(ms: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise, late])
  clearTimeout(timer)
}

/** The reason in words. A driver's error has a code; its message may be long. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  if ('code' in error) return `the server cannot be reached or read (${String(error.code)})`
  return error.message.slice(0, 200)
}

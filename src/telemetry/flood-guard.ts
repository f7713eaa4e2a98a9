/**
 * Bounds what strangers can make of the log: of each kind of event, the first ones of every client address and of every
 * minute are kept, and one summary counts the rest.
 *
 * @module
 */
import { EVENTS, type EventDefinition, type EventName, type GatewayEvent } from '../events.ts'

const WINDOW_MS = 60_000
/** Events that are kept in a minute: of one key, and of all keys. */
const BOUNDS = {
  address: { each: 30, all: 300 },
  stray: { each: 5, all: 30 },
  warning: { each: 1, all: 10 },
} as const
/** Keys whose events are counted apart; the rest share one count. */
const MAX_KEYS = 1000

export type Summary = Extract<GatewayEvent, { event: 'lines-left-out' }>

export interface FloodGuard {
  /** True if the event may be kept. */
  admits(event: GatewayEvent): boolean
  /** The summaries of minutes that have passed; each is handed out once. */
  summaries(): readonly Summary[]
  /** The summaries of every minute, begun ones too. */
  allSummaries(): readonly Summary[]
}

interface Window {
  readonly beganAt: number
  kept: number
  readonly keptOf: Map<string, number>
  leftOut: number
  readonly leftOutOf: Map<string, number>
}

/** @param deps `elapsed`: milliseconds on a clock that is never set back */
export function createFloodGuard({ elapsed }: { readonly elapsed: () => number }): FloodGuard {
  const windows = new Map<EventName, Window>()
  let ended: Summary[] = []

  function end(name: EventName, window: Window): void {
    windows.delete(name)
    if (window.leftOut > 0) ended.push(summaryOf(name, window))
  }

  function windowOf(name: EventName): Window {
    const known = windows.get(name)
    if (known && elapsed() - known.beganAt < WINDOW_MS) return known
    if (known) end(name, known)
    const begun = {
      beganAt: elapsed(),
      kept: 0,
      keptOf: new Map(),
      leftOut: 0,
      leftOutOf: new Map(),
    }
    windows.set(name, begun)
    return begun
  }

  function take(): readonly Summary[] {
    const taken = ended
    ended = []
    return taken
  }

  return {
    admits(event) {
      const { bound }: EventDefinition = EVENTS[event.event]
      if (bound === undefined) return true
      const { each, all } = BOUNDS[bound]
      const window = windowOf(event.event)
      const key = keyOf(event, bound)
      if (window.kept < all && (window.keptOf.get(key) ?? 0) < each) {
        window.kept += 1
        count(window.keptOf, key)
        return true
      }
      window.leftOut += 1
      count(window.leftOutOf, key)
      return false
    },
    summaries() {
      for (const [name, window] of windows) {
        if (elapsed() - window.beganAt >= WINDOW_MS) end(name, window)
      }
      return take()
    },
    allSummaries() {
      for (const [name, window] of windows) end(name, window)
      return take()
    },
  }
}

function count(counts: Map<string, number>, key: string): void {
  if (counts.size >= MAX_KEYS && !counts.has(key)) return
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** Clients are told apart by their address, warnings by the server that they are about or by their reason. */
function keyOf(event: GatewayEvent, bound: keyof typeof BOUNDS): string {
  if (bound !== 'warning') return ('address' in event && event.address) || ''
  const host = 'host' in event ? event.host : undefined
  const resource = 'resource' in event ? event.resource : undefined
  const reason = 'reason' in event ? event.reason : undefined
  return host ?? resource ?? reason ?? ''
}

function summaryOf(of: EventName, { leftOut, leftOutOf }: Window): Summary {
  const [busiest = ''] = [...leftOutOf].sort(([, a], [, b]) => b - a)[0] ?? []
  return {
    event: 'lines-left-out',
    of,
    count: leftOut,
    from: leftOutOf.size,
    busiest: busiest || undefined,
  }
}

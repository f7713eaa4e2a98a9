/**
 * Changes the headers of a request to the upstream as the configuration says, in its order (features E2). The start
 * refuses a change of an identity header (`config/rules/forged-headers.ts`).
 *
 * @module
 */
import { presentedCredential } from '../credentials/presented.ts'
import { valuesOf } from '../http/header-list.ts'
import { canonicalName } from '../http/untrusted-headers.ts'
import type { HeaderMutation, HeaderSource } from '../resources/pass-through.ts'
import { type ClientConnection, forwardedLines } from './request-headers.ts'

/** The request of the client. */
export interface Incoming {
  readonly rawHeaders: readonly string[]
  /** The request target with its query. */
  readonly target: string
  readonly client: ClientConnection
  /** The request had a good credential. */
  readonly isKnown: boolean
}

interface Line {
  readonly name: string
  readonly value: string
}

const MAX_REMEMBERED = 1000
const MAX_VALUE = 8 * 1024
/** A header can carry nothing else (RFC 9110 section 5.5). */
const VALUE = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/

/** @returns changes a flat list of names and values; a server reads `X_Foo` as `X-Foo`, so both are the same header */
export function createHeaderMutations(): (
  headers: string[],
  mutations: readonly HeaderMutation[],
  incoming: Incoming,
) => string[] {
  // The same names come with every request. The map is bounded, since strangers can invent names.
  const remembered = new Map<string, string>()
  function canonical(name: string): string {
    const known = remembered.get(name)
    if (known !== undefined) return known
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    const made = canonicalName(name)
    remembered.set(name, made)
    return made
  }

  return (headers, mutations, incoming) => {
    // The latest mutation of a name decides, wherever it stands among the headers: so each name is looked for once.
    const changes = new Map<string, Line | undefined>()
    const set = (name: string, value: string | undefined) => {
      const key = canonical(name)
      // Its place is that of the latest mutation too.
      changes.delete(key)
      changes.set(key, value === undefined ? undefined : { name, value })
    }
    for (const mutation of mutations) {
      switch (mutation.action) {
        case 'remove':
          set(mutation.name, undefined)
          break
        case 'add':
          set(mutation.name, valueAt(mutation.from, incoming))
          break
        case 'set-x-forwarded': {
          const lines = forwardedLines(incoming.client)
          for (let i = 0; i < lines.length; i += 2) set(lines[i] ?? '', lines[i + 1])
        }
      }
    }
    const changed: string[] = []
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] ?? ''
      if (!changes.has(canonical(name))) changed.push(name, headers[i + 1] ?? '')
    }
    for (const line of changes.values()) if (line) changed.push(line.name, line.value)
    return changed
  }
}

/** @returns undefined if the request has no such value, or one that no header can carry */
function valueAt(from: HeaderSource, incoming: Incoming): string | undefined {
  switch (from.kind) {
    case 'value':
      return from.value
    case 'header':
      return carried(valuesOf(incoming.rawHeaders, from.name.toLowerCase())[0])
    case 'query': {
      const query = incoming.target.indexOf('?')
      if (query === -1) return undefined
      return carried(new URLSearchParams(incoming.target.slice(query + 1)).get(from.name))
    }
    case 'bearer': {
      const [line] = valuesOf(incoming.rawHeaders, 'authorization')
      const presented = presentedCredential(line)
      // A stranger at an open path has shown nothing.
      return incoming.isKnown && presented.kind === 'bearer' ? presented.token : undefined
    }
  }
}

function carried(value: string | null | undefined): string | undefined {
  const trimmed = value?.trim() ?? ''
  return trimmed.length <= MAX_VALUE && VALUE.test(trimmed) ? trimmed : undefined
}

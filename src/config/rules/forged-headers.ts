/**
 * Refuses changes of headers by which a client could name itself (features E2): an identity header is Gatewarden's
 * alone, and a value of the client never gets into a header by which proxies identify or steer.
 *
 * @module
 */
import { canonicalName, isUntrusted } from '../../http/untrusted-headers.ts'
import type { HeaderMutation } from '../../resources/pass-through.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Report } from '../values/problem.ts'

/** @param parts `identityHeaders`: the names of all of them; `apiKeyHeader`: the header that holds our API keys */
export function checkHeaderMutations(parts: {
  readonly resources: readonly ResourceConfig[]
  readonly identityHeaders: readonly string[]
  readonly apiKeyHeader: string
  readonly report: Report
}): void {
  const identity = new Set(parts.identityHeaders.map(canonicalName))
  for (const { id, passThrough } of parts.resources) {
    const at = `resources.${id}.header_mutations`
    for (const mutation of passThrough?.mutations ?? []) {
      const problem = problemOf(mutation, identity, canonicalName(parts.apiKeyHeader))
      if (problem !== undefined) parts.report.problem(at, problem)
    }
    const sendsToken = passThrough?.mutations.some(
      (mutation) => mutation.action === 'add' && readsToken(mutation.from),
    )
    if (sendsToken) {
      parts.report.warning(
        at,
        'sends the tokens of clients to the server, which can act with them as these people until they expire. Remove authorizationHeader unless the server needs it: identity headers say who calls.',
      )
    }
    if (passThrough?.authorization === undefined) continue
    if (passThrough.mutations.some((mutation) => isFor(mutation, 'authorization'))) {
      parts.report.problem(
        at,
        'changes Authorization, which upstream_authorization sets. Remove one of the two.',
      )
    }
  }
}

function problemOf(
  mutation: HeaderMutation,
  identity: ReadonlySet<string>,
  apiKeyHeader: string,
): string | undefined {
  if (mutation.action === 'set-x-forwarded') return undefined
  const { action, name } = mutation
  if (identity.has(canonicalName(name))) {
    return action === 'remove'
      ? `removes ${name}, which says who calls. Remove the entry, or leave the header out of IDENTITY_HEADERS.`
      : `sets ${name}, which says who calls, and is Gatewarden's alone. Choose another header.`
  }
  if (action === 'remove') return undefined
  const { from } = mutation
  if (from.kind === 'header' && /^cookie$/i.test(from.name)) {
    return 'copies Cookie, which holds the session. Name another header.'
  }
  if (from.kind === 'header' && canonicalName(from.name) === apiKeyHeader) {
    return `copies ${from.name}, which holds API keys. Name another header.`
  }
  if (from.kind === 'header' && isUntrusted(canonicalName(from.name))) {
    return `copies ${from.name}, which any client can write, though servers take it for a proxy's word. Name another header.`
  }
  // The host was compared with the resource's, so no client chooses it.
  const isClients = from.kind === 'query' || (from.kind === 'header' && !/^host$/i.test(from.name))
  if (isClients && isUntrusted(canonicalName(name))) {
    return `lets clients write ${name}, which servers take for a proxy's word. Choose another header.`
  }
  if (isClients && canonicalName(name) === 'mcp-session-id') {
    return `lets clients write ${name} past the check that the session is their own. Choose another header.`
  }
  if (from.kind === 'value' && /^authorization$/i.test(name)) {
    return 'sets Authorization to a fixed value. Write upstream_authorization or upstream_authorization_file instead.'
  }
  return undefined
}

const readsToken = (from: Extract<HeaderMutation, { action: 'add' }>['from']) =>
  from.kind === 'bearer' || (from.kind === 'header' && /^authorization$/i.test(from.name))

const isFor = (mutation: HeaderMutation, name: string) =>
  'name' in mutation && canonicalName(mutation.name) === name

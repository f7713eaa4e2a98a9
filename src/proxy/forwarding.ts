/**
 * Turns an allowed request into a call of its upstream: address, headers, and the rules for the answer.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { type Answer, withLines } from '../check/answer.ts'
import type { Verified } from '../credentials/credential.ts'
import { readerOfRequest } from '../http/browser-request.ts'
import { filterHeaders, valuesOf } from '../http/header-list.ts'
import type {
  MatchResult,
  Resource,
  ResourceMatch,
  ResourceTable,
} from '../resources/resource-table.ts'
import { parseIpAddress } from '../url/ip-address.ts'
import { withoutQuery } from '../url/path.ts'
import { withPublicAddresses } from './address-headers.ts'
import { type AddressMap, createAddressMap, type ProxiedResource } from './address-map.ts'
import { OUTAGE, replaceChallenge } from './challenges.ts'
import { createHeaderMutations } from './header-mutations.ts'
import type { Loops } from './loops.ts'
import type { PersonTokenLines } from './person-token.ts'
import type { ClientConnection, UpstreamHeaders } from './request-headers.ts'
import { clientHeaders, SANDBOX } from './response-headers.ts'
import type { AnswerHead, UpstreamCall } from './upstream.ts'

export interface Allowed {
  readonly match: ResourceMatch & { readonly resource: ProxiedResource }
  /** The answer that allowed the request: it has the identity headers and the remaining credentials. */
  readonly answer: Answer
  /** The header lines by which an allowed page may read the answer. */
  readonly cors: readonly string[]
  /** Absent for a caller at an open path who has no good credential. */
  readonly verified: Verified | undefined
}

/** All of an {@link UpstreamCall} but the two ends of the connection. */
export type Forwarding = Pick<UpstreamCall, 'target' | 'responseHeaders' | 'redirect'> & {
  /** A challenge of ours in place of the upstream's. */
  readonly instead: NonNullable<UpstreamCall['instead']>
}

export function createForwarding(deps: {
  readonly resources: ResourceTable
  readonly upstreamHeaders: UpstreamHeaders
  readonly isTrustedProxy: (address: string | undefined) => boolean
  readonly isOwnCookie: (name: string) => boolean
  readonly loops: Pick<Loops, 'line'>
  readonly personTokenLines: PersonTokenLines
}): (request: FastifyRequest, allowed: Allowed) => Forwarding {
  const { resources, upstreamHeaders, isTrustedProxy, isOwnCookie, loops, personTokenLines } = deps
  const mutate = createHeaderMutations()
  const maps = new WeakMap<Resource, AddressMap>()

  function mapOf(resource: ProxiedResource): AddressMap {
    const known = maps.get(resource)
    if (known) return known
    const isElsewhere = (path: string) => {
      const found = foundAt(resource, path)
      return found !== 'unknown' && !isOf(resource, found)
    }
    const map = createAddressMap(resource, isElsewhere)
    maps.set(resource, map)
    return map
  }

  /** The resource of a path on the host of another one. */
  const foundAt = ({ origin }: Resource, path: string) =>
    resources.match(new URL(origin).host, path)

  return (request, { match, answer, cors, verified }) => {
    const { resource } = match
    const map = mapOf(resource)
    const { challenges, authorization } = resource.passThrough
    const always = [...(resource.sharedHost === 'sandboxed' ? SANDBOX : []), ...cors]
    // Read only for the few answers that need it.
    const caller = () => ({
      isKnown: verified !== undefined,
      isProgram: readerOfRequest(request) === 'program',
      showsOurs: authorization !== undefined,
    })
    let replaced: ReturnType<typeof replaceChallenge> = {}
    return {
      target: {
        origin: resource.upstream.origin,
        path: map.toUpstream(request.raw.url ?? '/', match.viaAlso),
        headers: headersFor(request, { match, answer, cors, verified }),
      },
      instead(head) {
        if (challenges === 'own') return undefined
        const isForUs = head.status === 401 && authorization !== undefined
        if (isForUs) request.report({ event: 'upstream-refused-us', resource: resource.id })
        replaced = isForUs ? OUTAGE : replaceChallenge(head, match, caller)
        const { instead } = replaced
        return instead && withLines(instead, always)
      },
      responseHeaders({ lines }, path) {
        const headers = withPublicAddresses(clientHeaders(lines, isOwnCookie), map, path)
        if (challenges === 'own') return [...headers, ...always]
        const kept = filterHeaders(headers, isNoChallenge)
        if (replaced.challenge !== undefined) kept.push('WWW-Authenticate', replaced.challenge)
        kept.push(...always)
        return kept
      },
      // A browser shows the address, and relative links of the page depend on it.
      redirect(head, path) {
        if (head.status !== 307 && head.status !== 308) return undefined
        return readerOfRequest(request) === 'page' ? undefined : next(head, path)
      },
    }

    /** A redirect is followed where the client's own next request would be decided alike. */
    function next({ lines }: AnswerHead, path: string): string | undefined {
      const [location, ...others] = valuesOf(lines, 'location')
      // A cookie that comes along has to reach the client before its next request.
      if (location === undefined || others.length > 0 || valuesOf(lines, 'set-cookie').length > 0) {
        return undefined
      }
      const target = map.redirectTarget(location, path)
      if (target === undefined) return undefined
      const publicPath = map.publicPath(withoutQuery(target))
      const found = publicPath === undefined ? 'unknown' : foundAt(resource, publicPath)
      // An open path must not lead to one that needs a token.
      const isDecided = isOf(resource, found) && (found.isOpen || !match.isOpen)
      return isDecided ? target : undefined
    }
  }

  function headersFor(request: FastifyRequest, { match, answer, verified }: Allowed): string[] {
    const { passThrough } = match.resource
    const ours = [
      ...personTokenLines(request, match.resource, verified),
      ...loops.line(match.resource),
    ]
    const { rawHeaders, url = '/' } = request.raw
    const client = clientOf(request)
    const headers = upstreamHeaders(rawHeaders, answer, client, passThrough)
    const mutation = { rawHeaders, target: url, client, isKnown: verified !== undefined }
    const changed =
      passThrough.mutations.length === 0
        ? headers
        : mutate(headers, passThrough.mutations, mutation)
    changed.push(...ours)
    return changed
  }

  /** How the client reached us. */
  function clientOf({ headers, socket }: FastifyRequest): ClientConnection {
    const trusted = isTrustedProxy(socket.remoteAddress)
    const peer = parseIpAddress(socket.remoteAddress ?? '') ?? ''
    const { 'x-forwarded-for': chain, 'x-forwarded-proto': proto } = headers
    return {
      address: trusted && chain !== undefined ? `${String(chain)}, ${peer}` : peer,
      host: headers.host ?? '',
      proto: trusted && proto === 'https' ? 'https' : 'http',
    }
  }
}

const CHALLENGE = 'www-authenticate'
const isNoChallenge = (name: string) =>
  name.length !== CHALLENGE.length || name.toLowerCase() !== CHALLENGE

const isOf = ({ id }: Resource, found: MatchResult): found is ResourceMatch =>
  typeof found !== 'string' && found.resource.id === id

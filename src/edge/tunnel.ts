/**
 * `/_ws_tunnel`, which a proxy asks before it lets a command line open a WebSocket. It runs the check by cookie only,
 * and answers in mcpauth's words.
 *
 * @module
 */
import type { Answer } from '../check/answer.ts'
import { forbidden } from '../check/answer-table.ts'
import type { Check, Checked, ForwardedRequest } from '../check/check.ts'
import { DEFAULT_CONTRACT } from '../forward-auth/contracts/index.ts'
import { alsoDirectly, type DirectQuestions } from '../forward-auth/direct.ts'
import type { Endpoint } from '../forward-auth/endpoints.ts'
import { filterHeaders } from '../http/header-list.ts'
import { headerReader } from '../http/raw-headers.ts'
import { originOf } from '../paths.ts'
import { connectResource, type SessionRules } from '../sessions/target.ts'
import { isOwnHost, normalizeHost } from '../url/host.ts'

const read = headerReader(['origin'])

/** The headers of a handshake that count. The tunnel ignores all others, a bearer token above all. */
const RELEVANT = /^(?:cookie|sec-fetch-(?:site|dest))$/i

/** The destination of a handshake: the request for the check, and the only origin whose pages may open the tunnel. */
interface Destination {
  readonly located: ForwardedRequest
  readonly origin: string
}

/** The endpoint, with Traefik's contract. */
export const tunnelEndpoint = (deps: TunnelDeps): Endpoint => ({
  path: '/_ws_tunnel',
  contract: alsoDirectly(DEFAULT_CONTRACT, deps.direct),
  check: createTunnelCheck(deps),
  canPin: true,
})

interface TunnelDeps {
  readonly check: Check
  readonly rules: SessionRules
  /** Absent: a proxy has to ask. */
  readonly direct?: DirectQuestions | undefined
}

/**
 * The check of tunnels. It asks about the resource that covers the address; else the resource of that host that the
 * proxy pins; else the resource of `/auth/connect` on that host, so that the cookie from there opens the tunnel.
 */
function createTunnelCheck({ check, rules }: TunnelDeps): Check {
  return (request) => {
    const { located, rawHeaders, pinned } = request
    const destination = destinationOf(located, rules, pinned)
    const [origin] = read(rawHeaders)
    // For a page of another origin the browser sends the person's cookie too (threat: cross-site WebSocket hijacking).
    if (destination && origin !== undefined && origin !== destination.origin) {
      const reason = 'the web page that opened this connection is of a foreign origin'
      const { method } = located
      return { kind: 'request-refused', answer: forbidden(reason), reason, method }
    }
    const translate = (checked: Checked): Checked => ({
      ...checked,
      answer: adapt(isAnonymous(checked) ? NOBODY : checked.answer),
    })
    const checked = check({
      ...request,
      located: destination?.located ?? located,
      rawHeaders: relevantHeaders(rawHeaders, origin !== undefined),
    })
    return checked instanceof Promise ? checked.then(translate) : translate(checked)
  }
}

/** Undefined if the check will refuse the request: an unknown host, or a path that can be read in two ways. */
function destinationOf(
  located: ForwardedRequest,
  rules: SessionRules,
  pinned: string | undefined,
): Destination | undefined {
  const { resources, issuer } = rules
  const match = resources.match(located.host, located.target)
  if (match === 'ambiguous') return undefined
  if (match !== 'unknown') return { located, origin: match.resource.origin }
  const host = normalizeHost(located.host)
  if (host === undefined) return undefined
  const named = pinned !== undefined && resources.allAt(host).find(({ id }) => id === pinned)
  const resource = named || connectResource(host, rules)
  if (!resource) return undefined
  return {
    located: { ...located, host: new URL(resource.origin).host, target: resource.path || '/' },
    origin: isOwnHost(host, issuer) ? originOf(issuer) : resource.origin,
  }
}

/**
 * @param byPage true if the request has the `Origin` of its own page, which the check knows under another name: a resource
 *   may live at another origin than the tunnel
 */
function relevantHeaders(rawHeaders: readonly string[], byPage: boolean): readonly string[] {
  if (!byPage) return filterHeaders(rawHeaders, (name) => RELEVANT.test(name))
  const cookies = filterHeaders(rawHeaders, (name) => /^cookie$/i.test(name))
  return [...cookies, 'Sec-Fetch-Site', 'same-origin']
}

/** A path that needs no token opens no tunnel. */
const isAnonymous = ({ answer, verified }: Checked) => answer.status === 200 && !verified
const NOBODY: Answer = { status: 401, headers: ['Cache-Control', 'no-store'] }

function adapt({ status, headers, body }: Answer): Answer {
  switch (status) {
    case 200:
      return answer(200, headers, { type: 'text/plain; charset=utf-8', body: 'authenticated' })
    case 401: {
      const refused = headers.some((line) => line.startsWith('Bearer error='))
      const error = refused ? 'invalid or expired token' : 'authentication required'
      return answer(401, headers, json({ error }))
    }
    default:
      return answer(status, headers, { type: 'application/json', body: body ?? '' })
  }
}

const json = (value: object) => ({ type: 'application/json', body: JSON.stringify(value) })

/** Headers that the answer replaces. It has no challenge: no command line that opens tunnels understands one. */
const REPLACED = /^(?:www-authenticate|content-type|content-length)$/i

function answer(
  status: number,
  headers: readonly string[],
  { type, body }: { type: string; body: string },
): Answer {
  const kept = filterHeaders(headers, (name) => !REPLACED.test(name))
  return {
    status,
    headers: [...kept, 'Content-Type', type, 'Content-Length', String(Buffer.byteLength(body))],
    body,
  }
}

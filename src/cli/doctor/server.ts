/**
 * Checks a protected server from outside without a credential: its challenge, its discovery document, and that claims of
 * a client in headers change nothing.
 *
 * @module
 */

import { metadataUrl } from '../../oauth/metadata.ts'
import type { Resource } from '../../resources/resource-table.ts'
import { plain } from '../answers.ts'
import { parseChallengeParameter } from '../token/discovery.ts'
import { type Answered, type Ask, membersOf, ownWords } from './ask.ts'
import { type Fault, type Finding, judged } from './finding.ts'
import { redirected, unanswered } from './no-answer.ts'
import { closedPathOf, isPublic } from './servers.ts'

/** Claims about the request that a client may not make. */
const CLAIMS: Readonly<Record<string, string>> = {
  'x-forwarded-host': 'other.invalid',
  'x-forwarded-uri': '/.well-known/x',
  'x-original-url': '/token',
  'x-forwarded-method': 'OPTIONS',
  'x-http-method-override': 'OPTIONS',
}

/** @param identityHeaders the names of the headers that tell the server who calls */
export async function checkServer(
  resource: Resource,
  {
    ask,
    issuer,
    identityHeaders,
  }: {
    readonly ask: Ask
    readonly issuer: string
    readonly identityHeaders: readonly string[]
  },
): Promise<readonly Finding[]> {
  const { id: server, origin } = resource
  const path = closedPathOf(resource)
  const url = isPublic(resource) ? origin + path : resource.url
  const document = metadataUrl({ resource, path, viaAlso: false, isOpen: false })
  const fault = challengeFault({ url, document, setting: setting(resource) }, await ask(url))
  const challenge = { check: 'challenge', server, promise: 'it asks for a login' }
  if (fault) return [judged(challenge, fault)]

  const forged = Object.fromEntries(identityHeaders.map((name) => [name, 'forged']))
  const documentFound = { check: 'document', server, promise: 'clients find where to sign in' }
  const claims = { check: 'claims', server, promise: 'headers of a client open nothing' }
  return [
    judged(challenge, undefined),
    judged(documentFound, documentFault(resource, { url, document, issuer }, await ask(document))),
    judged(claims, claimFault(await ask(url, { ...CLAIMS, ...forged }))),
    ...(await plainHttp(resource, ask)),
  ]
}

const setting = ({ id }: Resource) => `resources.${id}.url`

function challengeFault(
  { url, document, setting }: { url: string; document: string; setting: string },
  answer: Awaited<ReturnType<Ask>>,
): Fault | undefined {
  if ('failure' in answer) return unanswered(url, answer, setting)
  const redirect = redirected(url, answer, setting)
  if (redirect) return redirect
  const { status } = answer
  const header = answer.headers.get('www-authenticate')
  const named = header === null ? undefined : parseChallengeParameter(header, 'resource_metadata')
  if (status === 401 && named === document) return undefined
  const seen = `${url} answered ${status}`
  if (status === 401 && header !== null) {
    return {
      seen: `${seen} with ${named === undefined ? 'a challenge without resource_metadata' : `the document ${plain(named)}`}, not ${document}`,
      means: 'Another login answers, or a gateway with another configuration.',
      fix: 'Switch off the login of the MCP server, and let the route ask this Gatewarden before every request.',
    }
  }
  if (status === 401) {
    return {
      seen: `${seen} without WWW-Authenticate`,
      means: 'Clients do not learn where to sign in.',
      fix: 'Let the proxy pass on the header of a refusal; in Traefik, set maxResponseBodySize of the middleware as docs/proxies/traefik.md does.',
    }
  }
  return { seen, ...explain(answer) }
}

/** An answer that is no challenge. */
function explain(answer: Answered): Omit<Fault, 'seen'> {
  const words = ownWords(answer)
  if (words !== undefined) {
    return {
      means: `Gatewarden refuses the question of the proxy: ${words}`,
      fix: 'Look into the log of Gatewarden: the line of this refusal names what was asked, and the setting to change (TRUSTED_PROXIES, or the url of the server).',
    }
  }
  if (answer.status === 404) {
    return {
      means:
        'No route of the proxy matches this address, or the server does not know the path and is open.',
      fix: 'Compare host and path of the route with the url in the configuration, and let the route ask Gatewarden first.',
    }
  }
  if (answer.status >= 500) {
    return {
      means: 'The proxy does not reach Gatewarden, or Gatewarden does not reach its store.',
      fix: 'Check that Gatewarden runs and that the proxy knows its address; /readyz tells of the store.',
    }
  }
  if (answer.status === 429) {
    return {
      means: 'This address asked too often.',
      fix: 'Wait a minute and run the command again.',
    }
  }
  return {
    means: 'The server answers without a login: everybody can use it.',
    fix: 'Let the route of the server ask Gatewarden before every request (forwardAuth in Traefik, auth_request in nginx; docs/proxies).',
  }
}

function documentFault(
  { id, audience, origin, authorizationServers }: Resource,
  { url, document, issuer }: { url: string; document: string; issuer: string },
  answer: Awaited<ReturnType<Ask>>,
): Fault | undefined {
  const { host } = new URL(origin)
  const fix = `Route /.well-known/oauth-protected-resource and everything below it on ${host} to Gatewarden, without the login in front (docs/proxies). Or set DISCOVERY_AT=gateway (docs/discovery.md).`
  const means = 'Clients that got the challenge do not find the login.'
  if ('failure' in answer) return unanswered(document, answer, `resources.${id}.url`)
  const { resource: about, authorization_servers: servers } = membersOf(answer)
  if (answer.status !== 200 || about === undefined) {
    return { seen: `${document} answered ${answer.status}, and not the document`, means, fix }
  }
  if (about !== url && about !== audience) {
    return { seen: `${document} is about ${plain(String(about))}, not ${url}`, means, fix }
  }
  const wanted = authorizationServers ?? [issuer]
  if (Array.isArray(servers) && wanted.every((each) => servers.includes(each))) return undefined
  return {
    seen: `${document} names ${plain(String(servers))}, not ${wanted.join(', ')}`,
    means: 'Another gateway, or the server itself, wrote the document.',
    fix,
  }
}

function claimFault(answer: Awaited<ReturnType<Ask>>): Fault | undefined {
  if ('failure' in answer || answer.status === 401 || answer.status === 400) return undefined
  return {
    seen: `a request without a token, with forwarded and identity headers of its own, got ${answer.status} in place of 401`,
    means: 'Gatewarden judged the headers of the client and not its request.',
    fix: 'Let the proxy write X-Forwarded-* itself (in Traefik, trustForwardHeader: false), and pin the middleware to the server (docs/proxies).',
  }
}

/** The address without TLS, where the port says nothing else. */
async function plainHttp({ id: server, url }: Resource, ask: Ask): Promise<Finding[]> {
  const { protocol, port } = new URL(url)
  if (protocol !== 'https:' || port !== '') return []
  const address = url.replace(/^https:/, 'http:')
  const answer = await ask(address)
  const check = { check: 'plain-http', server, promise: 'it is not open without TLS' }
  const isClosed =
    'failure' in answer ||
    (answer.status >= 300 && answer.status < 405) ||
    answer.status >= 500 ||
    ownWords(answer) !== undefined
  const fault: Fault = {
    seen: `${address} answered ${isClosed ? '' : answer.status}`,
    means: 'The server answers without TLS and without a login.',
    fix: 'Redirect port 80 to https, or close it.',
  }
  return [judged(check, isClosed ? undefined : fault)]
}

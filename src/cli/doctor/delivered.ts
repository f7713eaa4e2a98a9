/**
 * Checks with a credential: the request passes, and the server behind gets the caller's identity from us alone, and no
 * credential (threats T1, T42). Only headers that somebody shows can be judged: a server that answers with them, or the
 * doctor's own stand-in.
 *
 * @module
 */
import type { IdentityHeaders } from '../../check/identity-headers.ts'
import { randomToken } from '../../crypto.ts'
import type { Resource } from '../../resources/resource-table.ts'
import { type Answered, type Ask, ownWords } from './ask.ts'
import { type Echo, MARK_HEADER } from './echo.ts'
import { type Fault, type Finding, judged, unchecked } from './finding.ts'
import type { ProbeKey } from './probe-key.ts'
import { isPublic } from './servers.ts'

const COPY_ALL =
  'Let the proxy copy every identity header and Authorization from the answer of Gatewarden: each name of authResponseHeaders in Traefik, protect.conf in nginx (docs/proxies).'

export interface Delivery {
  readonly ask: Ask
  readonly probe: ProbeKey
  /** The headers that tell the server who calls. */
  readonly identityHeaders: IdentityHeaders
  /** Takes a key where `Authorization` is the application's own. */
  readonly apiKeyHeader: string
  readonly echo: Echo | undefined
  /** Waits a second; false once the operator had long enough to let the route lead to the echo. */
  readonly waitForRoute: () => Promise<boolean>
}

export async function checkDelivery(
  resource: Resource,
  delivery: Delivery,
): Promise<readonly Finding[]> {
  const { id: server } = resource
  const credential = { check: 'credential', server, promise: 'a credential opens it' }
  const { answer, received, forged } = await send(resource, delivery)
  const fault = 'failure' in answer ? noAnswer(answer) : refusal(answer, resource)
  if (fault) return [judged(credential, fault)]
  return [
    isPublic(resource) ? unchecked(credential, OPENS_ANYWAY) : judged(credential, undefined),
    ...(received === undefined
      ? unseen(resource, delivery)
      : judge(received, { server, forged, delivery })),
  ]
}

const OPENS_ANYWAY = {
  seen: 'the url itself is public, so it opens without a credential, too',
  fix: 'Sign in with a client and call a tool; if the url should not be public, take its path out of public.',
}

/** Sends the key beside forged identities, each with a value of its own. */
async function send({ url, hasApplicationBearer }: Resource, delivery: Delivery) {
  const { ask, probe, identityHeaders, apiKeyHeader, echo, waitForRoute } = delivery
  const names = Object.keys(identityHeaders).flatMap((name) => [name, name.replaceAll('-', '_')])
  for (;;) {
    const mark = `doctor-${randomToken(9)}`
    const forged = new Map(names.map((name, index) => [name, `${mark}-${index}-forged`]))
    echo?.expect(mark)
    const answer = await ask(url, {
      ...Object.fromEntries(forged),
      ...(hasApplicationBearer
        ? { [apiKeyHeader]: probe.key }
        : { authorization: `Bearer ${probe.key}` }),
      [MARK_HEADER]: mark,
    })
    const echoed = 'failure' in answer ? undefined : shownHeaders(answer.text, mark, names)
    const received = echo?.take(mark) ?? echoed
    const isRefused = !('failure' in answer) && ownWords(answer) !== undefined
    if (!echo || received !== undefined || isRefused || !(await waitForRoute())) {
      return { answer, received, forged }
    }
  }
}

/** The text, if it shows every header of the request: ours of the mark, and some that tells who calls. */
function shownHeaders(text: string, mark: string, names: readonly string[]): string | undefined {
  const lower = text.toLowerCase()
  const showsIdentity = names.some((name) => lower.includes(name.toLowerCase()))
  return text.includes(mark) && showsIdentity ? text : undefined
}

const noAnswer = ({ failure }: { readonly failure: string }): Fault => ({
  seen: `no answer to a request with a key: ${failure}`,
  means: 'The request passed the login, or did not; the server behind may be down.',
  fix: 'Check that the MCP server runs, and run the command again.',
})

function refusal(answer: Answered, { upstream }: Resource): Fault | undefined {
  const { status } = answer
  const words = ownWords(answer)
  const seen = `a request with a key that was just made got ${status}${words === undefined ? '' : `: ${words}`}`
  // Gatewarden puts its own challenge in the place of a refusal by the server.
  const behind = upstream
    ? ' If they are the same, the MCP server itself refuses the request: switch off its login, or set upstream_authorization.'
    : ''
  if (status === 401) {
    return {
      seen,
      means:
        'The gateway that answers has another store or another SECRET than this configuration, or the proxy takes Authorization away.',
      fix: `Run the command with the configuration and the DATA_DIR of the running gateway. In Traefik, take authRequestHeaders away.${behind}`,
    }
  }
  if (status === 404) {
    return {
      seen,
      means: 'The request passed the login, and the server does not know the path.',
      fix: 'Map the path after the login: most servers listen at /mcp (docs/proxies, docs/quickstart.md).',
    }
  }
  if (words !== undefined && status < 500) {
    return {
      seen,
      means: 'Gatewarden lets no program pass here.',
      fix: 'Look into the log of Gatewarden: its line says why.',
    }
  }
  if (status >= 500) {
    return {
      seen,
      means: 'The request passed the login, and the server behind did not answer.',
      fix: 'Check that the MCP server runs, and that the proxy has its address and its port.',
    }
  }
  return undefined
}

function judge(
  received: string,
  {
    server,
    forged,
    delivery: { probe, identityHeaders },
  }: {
    readonly server: string
    readonly forged: ReadonlyMap<string, string>
    readonly delivery: Delivery
  },
): Finding[] {
  const missing = Object.keys(identityHeaders).filter(
    (name) =>
      identityHeaders[name] === 'id' &&
      !new RegExp(`${name.replace(/\W/g, '\\$&')}[^a-z0-9]+${probe.subject}`, 'i').test(received),
  )
  const passed = [...forged].filter(([, value]) => received.includes(value)).map(([name]) => name)
  const identity = { check: 'identity', server, promise: 'it learns from Gatewarden who calls' }
  const forgery = { check: 'forgery', server, promise: 'no client can invent an identity' }
  const token = { check: 'token', server, promise: 'no credential of a client reaches it' }
  return [
    judged(
      forgery,
      passed.length === 0
        ? undefined
        : {
            seen: `${passed.join(', ')} of the client reached the server`,
            means: 'Whoever has signed in can tell the server to be somebody else.',
            fix: COPY_ALL,
          },
    ),
    judged(
      token,
      received.includes(probe.key)
        ? {
            seen: 'the credential of the client reached the server',
            means: 'The server can use it in the name of that person.',
            fix: COPY_ALL,
          }
        : undefined,
    ),
    judged(
      identity,
      missing.length === 0
        ? undefined
        : {
            seen: `${missing.join(', ')} did not reach the server with the id of the caller`,
            means: 'The server cannot tell people apart.',
            fix: COPY_ALL,
          },
    ),
  ]
}

function unseen({ id: server, upstream }: Resource, { echo }: Delivery): Finding[] {
  // Gatewarden itself writes the headers of this server.
  if (upstream && !echo) return []
  const check = {
    check: 'forgery',
    server,
    promise: 'it gets the identity from Gatewarden alone, and no token',
  }
  const why = echo
    ? {
        seen: `no request of this command arrived at port ${echo.port}`,
        fix: `Let the route of ${server} lead to port ${echo.port} of this machine while the command waits.`,
      }
    : {
        seen: 'the server does not show the headers that it gets',
        fix: `Run gatewarden doctor --resource ${server} --echo PORT, and let the route of ${server} lead to that port of this machine for as long as the command waits.`,
      }
  return [unchecked(check, why)]
}

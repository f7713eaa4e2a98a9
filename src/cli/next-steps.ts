/**
 * What an operator does after the configuration is right: register the redirect URI, point the proxy here, give each
 * client its URL (case fh19).
 *
 * @module
 */
import { type Config, redirectUriOf } from '../config/config.ts'
import { CONTRACTS } from '../forward-auth/contracts/index.ts'
import { CONNECT_PATH, ENDPOINTS, isRootDocument, OWN_PATHS, PROTECTED_RESOURCE } from '../paths.ts'
import { isOwnHost } from '../url/host.ts'
import { hostAndPort } from './listen-host.ts'

/** The name in the shipped files. */
const NAME = 'gatewarden'
const REACHED = `. In place
of ${NAME} write the name or address by which it reaches this machine:`

/** The addresses of edge auth that browsers and command lines open. */
const EDGE_PAGES = `${CONNECT_PATH}, /auth/oidc-config`

/** A heading, and lines below it that people copy. */
interface Step {
  readonly heading: string
  readonly lines: readonly string[]
}

/** The steps as text, each with a heading; lines to copy are indented by two and wrapped nowhere. */
export function nextSteps(config: Config): string {
  const steps = [
    registration(config),
    forwardAuth(config),
    routes(config),
    ...discovery(config),
    ...passedOn(config),
    clients(config),
    newPeople(config),
  ]
  return steps
    .flatMap((step) =>
      step ? [`\n${step.heading}\n`, ...step.lines.map((line) => `  ${line}\n`)] : [],
    )
    .join('')
}

function registration(config: Config): Step | undefined {
  const { provider } = config
  if (provider.type === 'builtin') return undefined
  return {
    heading: `Redirect URI to register for the client ${provider.clientId} at ${new URL(provider.issuerUrl).host}:`,
    lines: [redirectUriOf(config)],
  }
}

/** The servers that Gatewarden itself is not the proxy of. */
const asked = ({ resources }: Config) => resources.filter(({ upstream }) => upstream === undefined)

/** The proxies; the shipped files ask the further addresses of a family by themselves. */
const FAMILIES = CONTRACTS.map(({ family }) => family).filter((family) => !family.includes('/'))

function forwardAuth(config: Config): Step | undefined {
  const servers = asked(config)
  if (servers.length === 0) return undefined
  const base = `http://${reachedAt(config)}`
  return {
    heading: `Address that your proxy asks before each request (docs/proxies)${isEverywhere(config) ? REACHED : ':'}`,
    lines: FAMILIES.flatMap((family) => [
      `${family.padEnd(8)}${base}/auth/${family}`,
      ...(servers.length > 1
        ? servers.map(({ id }) => `${' '.repeat(8)}${base}/auth/${family}/r/${id}`)
        : []),
    ]),
  }
}

/** A process that listens on every address has the name that the proxy knows it by. */
function reachedAt(config: Config): string {
  const { host, port } = config.listen
  return hostAndPort(isEverywhere(config) ? NAME : host, port)
}

const isEverywhere = ({ listen: { host } }: Config): boolean => host === '::' || host === '0.0.0.0'

function routes(config: Config): Step {
  const { publicUrl, pathPrefix, listen, edgeAuth } = config
  const to = hostAndPort(listen.host, listen.port)
  return {
    heading: `Requests for ${publicUrl.host} go to Gatewarden, which listens on ${to}:`,
    lines:
      asked(config).length === 0
        ? ['all of them']
        : pathPrefix === undefined
          ? allButChecks(edgeAuth)
          : [`${[pathPrefix, ...DISCOVERY].join(', ')}, and everything below them`],
  }
}

/** Edge auth has a check more, and two pages below `/auth` that people open. */
function allButChecks(hasEdgeAuth: boolean): string[] {
  const tunnel = hasEdgeAuth ? '/_ws_tunnel, ' : ''
  return [
    `all but /auth, /verify, /authenticate, ${tunnel}/healthz, /readyz (for the proxy alone)`,
    ...(hasEdgeAuth ? [`of those below /auth: ${EDGE_PAGES}`] : []),
  ]
}

/** Paths of a protected host that go to Gatewarden without the login in front. */
const DISCOVERY = [
  PROTECTED_RESOURCE,
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
]

/** The endpoints that clients of MCP 2025-03-26 ask at the host of a server. */
const FOR_OLD_CLIENTS = [ENDPOINTS.authorization, ENDPOINTS.token, ENDPOINTS.registration].join(
  ', ',
)

function discovery(config: Config): Step[] {
  const servers = asked(config)
  const leaving = servers.filter(({ rootDocuments }) => rootDocuments === false)
  const elsewhere = otherHosts(leaving, config)
  const hosts = otherHosts(servers, config).filter((host) => !elsewhere.includes(host))
  return [
    ...discoveryAt(hosts, config, (path) => `${path} and everything below it`),
    ...discoveryAt(elsewhere, config, (path) =>
      isRootDocument(path)
        ? `${path}/ and everything below it (the path itself is the application's)`
        : `${path} and everything below it`,
    ),
  ]
}

/** The hosts of these servers without ours. */
function otherHosts(
  servers: readonly { readonly url: string }[],
  { publicUrl }: Config,
): readonly string[] {
  const hosts = new Set(servers.map(({ url }) => new URL(url).host))
  return [...hosts].filter((host) => !isOwnHost(host, publicUrl.origin))
}

function discoveryAt(
  hosts: readonly string[],
  { edgeAuth }: Config,
  documents: (path: string) => string,
): Step[] {
  if (hosts.length === 0) return []
  return [
    {
      heading: `On ${hosts.join(', ')} these paths go to Gatewarden, without a check:`,
      lines: [
        ...DISCOVERY.map(documents),
        `${OWN_PATHS} and everything below it`,
        FOR_OLD_CLIENTS,
        ...(edgeAuth ? [EDGE_PAGES] : []),
      ],
    },
  ]
}

/** The hosts of servers that Gatewarden itself forwards to: all of their requests come here. */
function passedOn(config: Config): Step[] {
  const { resources, listen, edgeAuth } = config
  const servers = resources.filter(({ upstream }) => upstream !== undefined)
  const hosts = otherHosts(servers, config)
  if (hosts.length === 0) return []
  const urls = servers.map(({ url }) => new URL(url))
  return [
    {
      heading: `Requests for ${hosts.join(', ')} go to Gatewarden too, on ${hostAndPort(listen.host, listen.port)}; it forwards them:`,
      lines: [
        ...urls.filter(({ host }) => hosts.includes(host)).map(({ pathname }) => pathname),
        `${[...DISCOVERY, OWN_PATHS].join(', ')} and everything below them`,
        FOR_OLD_CLIENTS,
        ...(edgeAuth ? [EDGE_PAGES] : []),
      ],
    },
  ]
}

function clients({ resources }: Config): Step {
  return {
    heading: 'URL for MCP clients:',
    lines: resources.map(({ url, name }) => (url.endsWith(name) ? url : `${url}  (${name})`)),
  }
}

function newPeople({ newUsers }: Config): Step | undefined {
  if (newUsers.length === 0) return undefined
  return {
    heading: 'The first start makes passwords for:',
    lines: newUsers.map(({ name }) => name),
  }
}

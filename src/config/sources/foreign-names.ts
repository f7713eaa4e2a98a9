/**
 * Settings of other programs that do the same job, and settings that this version does not have. In the environment
 * each gets a line, so that nobody believes that it took effect.
 *
 * @module
 */
import type { Report } from '../values/problem.ts'

/** Our name for a setting of another program. */
const OURS: Readonly<Record<string, string>> = {
  AUTH_PROVIDER: 'PROVIDER',
  BASE_URL: 'PUBLIC_URL',
  EMAIL_DOMAINS: 'ALLOWED_DOMAINS',
  OAUTH_PROVIDER: 'PROVIDER',
  UPSTREAM: 'UPSTREAM_URL',
}

const NOT_YET = 'is not a setting of this version and has no effect. Remove it'

const BABS = 'is a setting of babs/mcp-auth-proxy and has no effect'
const ATRAWOG = 'is a setting of atrawog/mcp-oauth-gateway and has no effect'
const TESTS_OF_ATRAWOG = `${ATRAWOG}: its tests used it. Remove it.`
const IN_REDIS_URL =
  'is not a setting, and has no effect. All of it is in REDIS_URL=redis://USER:PASSWORD@HOST:PORT/DB, or rediss:// with TLS.'
const BOTH_LISTS =
  'is a setting of oauth2-proxy and has no effect: there a person must be on each list, here one list is enough. Decide anew, in ALLOWED_EMAILS, ALLOWED_DOMAINS and ALLOWED_GROUPS.'

const NOTED: Readonly<Record<string, string>> = {
  // babs/mcp-auth-proxy (sn16, sn18, sn20)
  TRUST_PROXY_HEADERS: `${BABS}: Gatewarden believes no proxy without its address. List yours in TRUSTED_PROXIES.`,
  REDIS_REQUIRED: `${BABS}: with REDIS_URL the store is Redis, and nothing else takes its place. Remove it.`,
  COMPAT_ALLOW_STATELESS: `${BABS}: grants always live in the store. Remove it.`,
  PKCE_REQUIRED: `${BABS}: PKCE is always required. Remove it.`,
  RENDER_CONSENT_PAGE: `${BABS}: consent is asked. Write consent: false at a program of your own, under clients in gatewarden.yaml.`,
  UPSTREAM_FORWARD_IDP_TOKEN: `${BABS}: write UPSTREAM_PROVIDER_TOKEN=Authorization and RECHECK_AT_REFRESH=true, and its scopes into PROVIDER_SCOPES.`,
  OIDC_ALLOW_INSECURE_HTTP: `${BABS}: write a plain http address in DISCOVERY_URL, or set DEV_MODE=true to try it out.`,
  ACCESS_LOG_SKIP_RE: `${BABS}: allowed checks are logged at LOG_LEVEL=debug only. Remove it.`,
  MCP_TOOL_METRICS: `${BABS}: this version has no metrics. Remove it.`,
  MCP_TOOL_METRICS_MAX_CARDINALITY: `${BABS}: this version has no metrics. Remove it.`,
  TRUSTED_PROXY_HEADER: `${BABS}: of a proxy in TRUSTED_PROXIES Gatewarden reads X-Forwarded-For. Remove it.`,
  IDP_EXCHANGE_RATE_PER_SEC: `${BABS}: Gatewarden limits the codes that it redeems by itself, for each sign-in and address. Remove it.`,
  IDP_EXCHANGE_BURST: `${BABS}: Gatewarden limits the codes that it redeems by itself, for each sign-in and address. Remove it.`,
  MCP_LOG_BODY_MAX: `${BABS}: bodies are never logged. Remove it.`,
  METRICS_ADDR: `${BABS}: this version has no metrics; /healthz and /readyz are there. Remove it.`,
  GROUPS_CLAIM_MAX_BYTES: `${BABS}: tokens hold no groups, and servers get them in a header. Remove it.`,
  CSP_FORM_ACTION_EXTRA: `${BABS}: no page needs it. Remove it.`,
  // risedphantom/mcp-oauth2-proxy (sn10)
  MCP_OAUTH2_PROXY_AUTH_SESSIONTTL: 'has no effect: a sign-in may take 30 minutes. Remove it.',
  MCP_OAUTH2_PROXY_AUTH_CODETTL: 'has no effect: a code lives for 5 minutes. Remove it.',
  // atrawog/mcp-oauth-gateway (sn5, sn14, sn22)
  JWT_ALGORITHM: `${ATRAWOG}: access tokens are signed with ES256, or as the key in SIGNING_KEY demands. Remove it.`,
  SESSION_TIMEOUT: `${ATRAWOG}: a sign-in may take 30 minutes. For browsers, set SESSION_LIFETIME.`,
  ACME_EMAIL: `${ATRAWOG}: your proxy has the certificates. Set it there.`,
  GITHUB_PAT: `${ATRAWOG}. Remove it.`,
  MCP_TESTING_URL: TESTS_OF_ATRAWOG,
  REDIS_HOST: IN_REDIS_URL,
  REDIS_PORT: IN_REDIS_URL,
  REDIS_DB: IN_REDIS_URL,
  REDIS_USERNAME: IN_REDIS_URL,
  REDIS_PWD: IN_REDIS_URL,
  REDIS_SSL: IN_REDIS_URL,
  MCP_PROTOCOL_VERSION: `${ATRAWOG}: client and server agree on the version. Leave it to the server.`,
  MCP_PROTOCOL_VERSIONS_SUPPORTED: `${ATRAWOG}: client and server agree on the version. Leave it to the server.`,
  // matheuscscp/mcp-oauth2-proxy (sn11)
  MCP_OAUTH2_PROXY_CONFIG:
    'is a setting of matheuscscp/mcp-oauth2-proxy and has no effect: its file has other names. Name a file of Gatewarden with --config FILE.',
  GITHUB_APP_PRIVATE_KEY:
    'is a setting of matheuscscp/mcp-oauth2-proxy and has no effect: Gatewarden asks GitHub as the person. List the organisation, or teams of it, in ALLOWED_GROUPS.',
  // oauth2-proxy (sn23)
  OAUTH2_PROXY_HTTP_ADDRESS:
    'has no effect: Gatewarden listens at HOST and PORT alone, and at every address of this machine unless HOST names one. Set both, and remove it.',
  OAUTH2_PROXY_PROVIDER:
    'is a setting of oauth2-proxy and has no effect. Write PROVIDER, as google, github, entra, keycloak or oidc.',
  OAUTH2_PROXY_EMAIL_DOMAINS: BOTH_LISTS,
  OAUTH2_PROXY_ALLOWED_GROUPS: BOTH_LISTS,
  METRICS_HOST: `${NOT_YET}; /healthz and /readyz are there.`,
  METRICS_PORT: `${NOT_YET}; /healthz and /readyz are there.`,
  WORKERS:
    'has no effect: Gatewarden is one process. Remove it; for more, run replicas with REDIS_URL (docs/scaling.md).',
}

/** Beginnings of names that only programs with the same job have: oauth2-proxy, risedphantom, mcpauth (sn21). */
const OF_OTHERS = /^(?:OAUTH2_PROXY|MCP_OAUTH2_PROXY|LANGWATCH)_/

/** Which of its bundled servers run (sn22), and the addresses of their tests. */
const SERVERS_OF_ATRAWOG = /^MCP_[A-Z]+(?:_[A-Z]+)*_(?:ENABLED|URLS)$/

/** What its tests signed in with. */
const CLIENT_OF_ATRAWOG =
  /^(?:GATEWAY_OAUTH|MCP_CLIENT)_(?:CLIENT_)?(?:ID|SECRET|(?:ACCESS|REFRESH|JWT)_TOKEN)$/

/** @returns true if the name was one of these */
export function reportForeign(written: string, report: Report): boolean {
  const ours = own(OURS, written)
  const noted =
    ours === undefined
      ? own(NOTED, written)
      : `is not a setting, and has no effect. Gatewarden calls it ${ours}.`
  if (noted !== undefined) report.warning(written, noted)
  if (noted !== undefined) return true
  if (SERVERS_OF_ATRAWOG.test(written)) {
    report.warning(written, `${ATRAWOG}: Gatewarden starts no servers. List yours in RESOURCES.`)
    return true
  }
  if (CLIENT_OF_ATRAWOG.test(written)) {
    report.warning(written, TESTS_OF_ATRAWOG)
    return true
  }
  const isOfOthers = OF_OTHERS.test(written)
  if (isOfOthers) {
    report.warning(
      written,
      'is a setting of another program, and has no effect. Remove it; docs/configuration.md lists ours.',
    )
  }
  return isOfOthers
}

const own = (table: Readonly<Record<string, string>>, name: string) =>
  Object.hasOwn(table, name) ? table[name] : undefined

/**
 * Every setting of the flat list, once: its name, kind, default and description. `PUBLIC_URL` in the environment is
 * `public_url` in the file and `--public-url` as a flag. The settings that only the file can hold are in `sections/`.
 *
 * @module
 */
import * as z from 'zod'
import { PROVIDER_SETTINGS } from './settings/providers.ts'
import { parseApiKeyHeader } from './values/api-key-header.ts'
import { parseBootstrapClients } from './values/bootstrap-clients.ts'
import {
  parseBrandColor,
  parseBrandLogo,
  parseBrandName,
  parseBrandSupport,
  parseLoginHelp,
} from './values/brand.ts'
import { parseCallbackPath } from './values/callback-path.ts'
import { parseCookieDomain } from './values/cookie-domain.ts'
import { duration, durationOrNever } from './values/durations.ts'
import { type Field, fields, list, scalar, text, toggle } from './values/fields.ts'
import {
  IDENTITY_HEADER_NAMES,
  identityHeaders,
  parseAssertionHeader,
  parsePersonTokenHeader,
} from './values/identity-headers.ts'
import { parseInstant } from './values/instants.ts'
import { parseDeniedHost, parseMetadataHost } from './values/metadata-hosts.ts'
import { parsePathPrefix } from './values/path-prefix.ts'
import {
  parseAllowedDomain,
  parseAllowedEmail,
  parseAllowedUser,
  parseGroup,
  people,
} from './values/people.ts'
import {
  parseCap,
  parseClientSecret,
  parseClientTokens,
  parseDiscoveryAt,
  parseDisplayName,
  parseListenHost,
  parseLogFormat,
  parseLogLevel,
  parseNetwork,
  parsePath,
  parsePort,
  parseProvider,
  parseRateLimit,
  parseSecret,
  parseToken,
  parseTokenEndpointAuthMethod,
  parseUpstreamAuthorization,
  splitSecrets,
} from './values/plain.ts'
import { DEFAULT_PROTECTED_PATH, parseProtectedPath } from './values/protected-path.ts'
import { parseProxyUrl } from './values/proxy-url.ts'
import { parseRedisKeyPrefix } from './values/redis-key-prefix.ts'
import { parseRedisUrl } from './values/redis-url.ts'
import { parseRegistrant } from './values/registration.ts'
import { parseProviderScope, parseScopeToken, splitScopes } from './values/scopes.ts'
import { parseSigningKey } from './values/signing-key.ts'
import { size } from './values/sizes.ts'
import { splitList } from './values/split-list.ts'
import { parseFlatToken } from './values/static-token.ts'
import {
  parseAllowedOrigin,
  parseDiscoveryUrl,
  parseIssuerUrl,
  parsePublicUrl,
  parseResourceUrl,
  parseUpstreamUrl,
} from './values/urls.ts'
import { parseFlatUser, splitUsers } from './values/user-entry.ts'

/** The settings by their names in the file. Rules that involve several settings are in `build.ts` and `rules/`. */
export const Settings = z.object({
  public_url: text(parsePublicUrl)
    .optional()
    .register(fields, {
      description:
        'Origin of the gateway, for the issuer, the pages and the callback: https, or http on this machine. `OAUTH_DOMAIN` takes the host alone.',
      example: 'https://auth.example.com',
      aliases: ['OAUTH_DOMAIN', 'PROXY_BASE_URL', 'MCP_OAUTH2_PROXY_AUTH_BASEURL'],
    }),
  path_prefix: text(parsePathPrefix).optional().register(fields, {
    description:
      'Beginning of all paths of Gatewarden on the host of `PUBLIC_URL`, for an application that has the rest of that host. The issuer is then `PUBLIC_URL` with this path, and the redirect URI to register at a provider has it too.',
    example: '/auth-gw',
  }),
  dev_mode: toggle().prefault(false).register(fields, {
    description: 'Allows plain http beyond this machine, and makes `OAUTH_DOMAIN` mean http.',
    kind: 'switch',
  }),
  host: text(parseListenHost).prefault('::').register(fields, {
    description:
      'Address that Gatewarden listens on. `::` is every address, IPv6 and IPv4; on a machine without IPv6 it means `0.0.0.0`.',
  }),
  port: scalar(parsePort).prefault(11_000).register(fields, {
    description: 'Port that Gatewarden listens on.',
  }),
  data_dir: text(parsePath).prefault('./data').register(fields, {
    description:
      'Folder for the secret that Gatewarden makes (mode 0600) and for the store with its keys. Use a local disk, not a network share.',
  }),
  redis_url: text(parseRedisUrl).optional().register(fields, {
    description:
      'Address of a Redis (6.2 or later) or Valkey that holds the store instead of `DATA_DIR`, for more than one machine: `redis://user:password@host:6379/0`, `redis+sentinel://host1,host2,host3/master`, `redis+cluster://host1,host2`; `rediss` for TLS. Requires `SECRET`.',
    secret: true,
  }),
  redis_key_prefix: text(parseRedisKeyPrefix).prefault('gw:').register(fields, {
    description:
      'Beginning of every key and channel in Redis, so that several deployments can share one. The ACL user needs it too (docs/scaling.md).',
  }),
  redis_ca: text(parsePath).optional().register(fields, {
    description:
      'File with the certificates (PEM) of the authority that signed the certificate of Redis; needed unless that authority is a public one.',
    example: '/etc/gatewarden/redis-ca.pem',
  }),
  resources: list(parseResourceUrl, splitList, { distinct: true }).optional().register(fields, {
    description:
      'URLs of the protected MCP servers. In the file, a map can say more about each. Without any, every host beside `PUBLIC_URL` is one (`https://*.example.com` for `https://auth.example.com`), unless strangers may own hosts there.',
    example: 'https://mcp.example.com/notes/mcp',
    kind: 'list',
  }),
  resource_name: text(parseDisplayName)
    .optional()
    .register(fields, {
      description:
        'Name of the only resource, which people see. In the file, each resource can have its own `name`.',
      example: 'Team notes',
      aliases: ['MCP_RESOURCE_NAME'],
    }),
  upstream_url: text(parseUpstreamUrl)
    .optional()
    .register(fields, {
      description:
        'URL of the server behind the resource; Gatewarden is then its reverse proxy. Requires exactly one resource, which is by default `PUBLIC_URL` with the path of this URL.',
      example: 'http://notes:3000/mcp',
      aliases: ['UPSTREAM_MCP_URL', 'MCP_OAUTH2_PROXY_UPSTREAM_URL'],
      flags: ['UPSTREAM'],
    }),
  upstream_authorization_header: text(parseUpstreamAuthorization).optional().register(fields, {
    description:
      'The `Authorization` that every request to the server behind has, with its scheme, such as `Bearer abc`, in place of any of the client. Requires exactly one resource with an upstream; in the file, each resource can have its own `upstream_authorization`.',
    secret: true,
  }),
  upstream_provider_token: text(parsePersonTokenHeader).optional().register(fields, {
    description:
      "The header in which the server behind gets the person's access token of the provider, such as `X-Provider-Token`, or `Authorization`. Requires exactly one resource with an upstream, and `RECHECK_AT_REFRESH=true`; in the file, each resource can have its own `upstream_provider_token` (docs/provider-tokens.md).",
  }),
  upstream_idle_timeout: scalar(duration({ min: '0s', max: '24h' }))
    .prefault('1h')
    .register(fields, {
      description:
        'As a reverse proxy, Gatewarden ends a request after this time without a byte of it or of its answer. 0 means no limit. There is no limit on the whole.',
    }),
  upstream_body_limit: scalar(size({ min: '0', max: '1024g' }))
    .prefault('0')
    .register(fields, {
      description:
        'As a reverse proxy, Gatewarden refuses bodies of requests that are larger than this, such as `10m`, with 413. 0 means no limit.',
    }),
  upstream_header_limit: scalar(size({ min: '8k', max: '1m' }))
    .prefault('64k')
    .register(fields, {
      description:
        'As a reverse proxy, Gatewarden answers 502 if the headers of the server behind are larger than this, all together.',
    }),
  mcp_per_subject_concurrency: scalar(parseCap).prefault(100).register(fields, {
    description:
      'As a reverse proxy, requests that a person, or a fixed token, may have open at once in each process; one more gets 429 with `Retry-After`. 0 means no limit.',
  }),
  mcp_per_subject_streams: scalar(parseCap).prefault(100).register(fields, {
    description: 'The same for event streams, which stay open for long and are counted apart.',
  }),
  protected_path: text(parseProtectedPath).prefault(DEFAULT_PROTECTED_PATH).register(fields, {
    description:
      'Another address of the check, with the headers of `/auth`, for proxy files written for mcpauth. If a server behind Gatewarden lives at this path, the server has it.',
  }),
  discovery_at: text(parseDiscoveryAt).prefault('resource').register(fields, {
    description:
      'Host of the documents that tell clients where to sign in: `resource` is the host of each server, `gateway` the host of `PUBLIC_URL`, for proxies that do not bring the well-known paths of the servers to Gatewarden (docs/discovery.md).',
  }),
  trusted_proxies: list(parseNetwork)
    .prefault('127.0.0.0/8,::1')
    .register(fields, {
      description:
        'Addresses and CIDRs of your proxy. Gatewarden reads forwarded headers from these only. List a proxy behind another one by its own address: inside a private range it counts as a client.',
      kind: 'list',
      aliases: ['TRUSTED_PROXY_CIDRS'],
    }),
  provider: text(parseProvider).prefault('builtin').register(fields, {
    description:
      'Provider that people sign in at: `builtin` for the users in the file, `keycloak`, `google`, `github`, `entra`, `auth0`, `okta`, `gitlab`, `authentik`, `authelia`, `zitadel`, `pocket-id`, or `oidc` for any other OpenID Connect provider (docs/providers).',
  }),
  users: list(parseFlatUser, splitUsers)
    .optional()
    .register(fields, {
      description:
        'People of the built-in login, besides those under `users` in the file: `ann@example.com:HASH`, one a line or as a JSON list, with hashes from `gatewarden hash-password`. Without a hash Gatewarden makes a password at the first start. If no `ALLOWED_` list is set, exactly these people may pass. As a flag: `--user ann@example.com`, once for each.',
      secret: true,
      kind: 'list',
      flags: ['USER'],
      repeats: true,
    }),
  callback_path: text(parseCallbackPath).optional().register(fields, {
    description:
      'Path of the redirect URI that is registered at the provider, behind `PUBLIC_URL` and `PATH_PREFIX`. Default: `/callback`. `config check` and the start print the whole redirect URI.',
    example: '/oauth/callback',
  }),
  issuer_url: text(parseIssuerUrl)
    .optional()
    .register(fields, {
      description:
        'Issuer of the provider; for Keycloak, the URL of the realm. Google and GitLab.com need none.',
      example: 'https://id.example.com/realms/main',
      aliases: [
        'OIDC_ISSUER_URL',
        'OIDC_ISSUER',
        'OAUTH2_PROXY_OIDC_ISSUER_URL',
        'MCP_OAUTH2_PROXY_AUTH_ISSUERURL',
      ],
    }),
  discovery_url: text(parseDiscoveryUrl).optional().register(fields, {
    description:
      'Address at which Gatewarden itself reads the discovery document, if it cannot reach `ISSUER_URL` or should not go that way. The document must name `ISSUER_URL` as its issuer; its endpoints are used as they are. Plain http is possible with a warning, on a network you trust.',
    example: 'http://keycloak:8080/realms/main/.well-known/openid-configuration',
  }),
  client_id: text(parseToken)
    .optional()
    .register(fields, {
      description:
        'Client id of Gatewarden at the provider. Register `PUBLIC_URL/callback` there as its redirect URI.',
      example: 'gatewarden',
      aliases: [
        'GOOGLE_CLIENT_ID',
        'GITHUB_CLIENT_ID',
        'OIDC_CLIENT_ID',
        'OAUTH2_PROXY_CLIENT_ID',
        'MCP_OAUTH2_PROXY_AUTH_CLIENTID',
      ],
    }),
  client_secret: text(parseClientSecret)
    .optional()
    .register(fields, {
      description: 'Client secret of Gatewarden at the provider.',
      secret: true,
      aliases: [
        'GOOGLE_CLIENT_SECRET',
        'GITHUB_CLIENT_SECRET',
        'OIDC_CLIENT_SECRET',
        'OAUTH2_PROXY_CLIENT_SECRET',
        'MCP_OAUTH2_PROXY_AUTH_CLIENTSECRET',
      ],
    }),
  provider_ca: text(parsePath).optional().register(fields, {
    description:
      'File with the certificates (PEM) of the authorities that signed those of the provider; needed unless they are public ones, which then no longer count.',
    example: '/etc/gatewarden/provider-ca.pem',
  }),
  provider_proxy: text(parseProxyUrl).optional().register(fields, {
    description:
      'HTTP proxy through which Gatewarden itself reaches the provider: `http://proxy.example.com:3128`, with `user:password@` before the host if the proxy asks for them. It does not apply to browsers, servers or the store.',
    secret: true,
  }),
  token_endpoint_auth_method: text(parseTokenEndpointAuthMethod).optional().register(fields, {
    description:
      "How Gatewarden sends `CLIENT_SECRET` to the provider: `client_secret_basic` (in a header) or `client_secret_post` (in the form). If unset, the provider's discovery document decides, and Gatewarden tries the other way once if the provider answers `invalid_client`.",
    example: 'client_secret_post',
  }),
  provider_scopes: list(parseProviderScope, splitScopes)
    .prefault('openid,email,profile')
    .register(fields, {
      description:
        'Scopes that Gatewarden asks of the provider when a person signs in, `openid` among them: add the one that brings groups, if the provider has such a scope.',
      kind: 'list',
      aliases: ['OAUTH2_PROXY_SCOPE', 'MCP_OAUTH2_PROXY_AUTH_OIDCSCOPES'],
    }),
  ...PROVIDER_SETTINGS,
  accept_provider_tokens: toggle().prefault(false).register(fields, {
    description:
      "Accepts the provider's own access tokens as bearer tokens, for clients that still use them. Read docs/provider-tokens.md first.",
    kind: 'switch',
  }),
  provider_token_clients: list(parseToken).optional().register(fields, {
    description:
      'More clients at the provider, besides `CLIENT_ID`, whose access tokens `ACCEPT_PROVIDER_TOKENS` accepts.',
    example: 'old-desktop-app',
    kind: 'list',
  }),
  client_tokens: text(parseClientTokens).prefault('own').register(fields, {
    description:
      "The tokens that clients get when a person signs in: `own` are Gatewarden's, for one server each; `provider` are the provider's own, which may open more than your servers. Read docs/provider-tokens.md first.",
  }),
  groups_claim: text(parseToken)
    .prefault('groups')
    .register(fields, {
      description: "Claim of the provider's ID token or userinfo that lists a person's groups.",
      aliases: ['OAUTH2_PROXY_OIDC_GROUPS_CLAIM'],
    }),
  recheck_at_refresh: toggle().prefault(false).register(fields, {
    description:
      'Before each refresh of a client, Gatewarden asks the provider whether the person may still sign in, and what their e-mail and groups are now; a no ends the permission (docs/rechecks.md). It keeps a token of the person for that, sealed in the store, and asks for `offline_access` where the provider has it.',
    kind: 'switch',
  }),
  unique_usernames: toggle().prefault(false).register(fields, {
    description:
      'With `PROVIDER=oidc` and the named providers of that kind: the provider gives each user name (`preferred_username`) to one person only and to nobody else later. The name of a person without a verified e-mail is then their `X-Forwarded-User`. Keycloak and the built-in login do so by themselves; Google does not.',
    kind: 'switch',
  }),
  allowed_emails: people(parseAllowedEmail).optional().register(fields, {
    description:
      'E-mail addresses of people who may pass. At least one of the four `ALLOWED_` lists must let someone in; `*` in any of them lets in anyone who can log in.',
    example: 'ann@example.com',
    kind: 'list',
  }),
  allowed_domains: people(parseAllowedDomain).optional().register(fields, {
    description:
      'Mail domains of people who may pass. Subdomains are not included: `*.example.com` covers them, and not the domain itself.',
    example: 'example.com',
    kind: 'list',
  }),
  allowed_groups: people(parseGroup).optional().register(fields, {
    description: 'Groups whose members may pass.',
    example: 'staff',
    kind: 'list',
  }),
  allowed_users: people(parseAllowedUser)
    .optional()
    .register(fields, {
      description:
        'User names of people who may pass, A to Z in either case. Only with a provider that gives each name to one person: `builtin`, `keycloak`, `github`, or any other with `UNIQUE_USERNAMES`.',
      example: 'ann',
      kind: 'list',
      aliases: ['ALLOWED_GITHUB_USERS'],
    }),
  require_verified_email: toggle().prefault(false).register(fields, {
    description:
      'Lets nobody in without an e-mail address that the provider calls verified, whatever list names the person. Otherwise such a person may still pass by a group, a user name or `*`.',
    kind: 'switch',
  }),
  allowed_scopes: list(parseScopeToken)
    .optional()
    .register(fields, {
      description:
        'Scopes offered at resources that list none of their own. If no setting names a scope, `mcp` is offered.',
      example: 'notes:read,notes:write',
      kind: 'list',
      aliases: ['MCP_OAUTH2_PROXY_AUTH_SCOPESSUPPORTED'],
    }),
  required_scopes: list(parseScopeToken).optional().register(fields, {
    description: 'Scopes required at resources without `required_scopes` of their own.',
    example: 'notes:read',
    kind: 'list',
  }),
  secret: text(parseSecret)
    .optional()
    .register(fields, {
      description:
        'Root of all derived keys, at least 32 characters. If unset, Gatewarden makes one in `DATA_DIR`.',
      secret: true,
      aliases: ['TOKEN_SIGNING_SECRET', 'GATEWAY_JWT_SECRET'],
    }),
  secret_previous: list(parseSecret, splitSecrets)
    .optional()
    .register(fields, {
      description:
        'Former secrets, newest first; in a file, one per line. Everything sealed with a former secret stays valid until you remove the secret.',
      secret: true,
      kind: 'list',
      aliases: ['TOKEN_SIGNING_SECRETS_PREVIOUS'],
    }),
  signing_key: text(parseSigningKey)
    .optional()
    .register(fields, {
      description:
        'Private key (PEM, or the base64 of a PEM) that signs access tokens in place of the keys that Gatewarden makes and rotates: P-256 signs with ES256; RSA with RS256, sessions too (docs/keys.md).',
      secret: true,
      aliases: ['JWT_PRIVATE_KEY_B64'],
    }),
  access_token_lifetime: scalar(duration({ min: '1s', max: '24h' }))
    .prefault('1h')
    .register(fields, {
      description: 'How long an access token is valid. After that, its client refreshes it.',
    }),
  grant_lifetime: scalar(duration({ min: '1s', max: '3650d' }))
    .prefault('30d')
    .register(fields, {
      description:
        'After this time people must sign in again, even if their client keeps refreshing.',
      aliases: ['REFRESH_TOKEN_LIFETIME'],
    }),
  grant_idle: scalar(duration({ min: '1s', max: '3650d' }))
    .prefault('14d')
    .register(fields, {
      description: 'After this time without a refresh people must sign in again.',
    }),
  refresh_grace: scalar(duration({ min: '0s', max: '1h' }))
    .prefault('60s')
    .register(fields, {
      description: 'How long a client may repeat a refresh whose answer was lost.',
      aliases: ['REFRESH_RACE_GRACE_SEC'],
    }),
  cookie_domain: text(parseCookieDomain)
    .optional()
    .register(fields, {
      description:
        'Domain whose hosts share one browser session: the host of `PUBLIC_URL` or a domain above it. Browsers send the cookie to every host under the domain. If unset, each host has its own session.',
      example: 'example.com',
      aliases: ['OAUTH2_PROXY_COOKIE_DOMAINS'],
    }),
  enable_edge_auth: toggle().prefault(false).register(fields, {
    description:
      'Lets a command-line tool get the browser session of the person who runs it: `/auth/connect`, `/auth/oidc-config` and `/_ws_tunnel` (docs/edge-auth.md).',
    kind: 'switch',
  }),
  session_lifetime: scalar(duration({ min: '1s', max: '30d' }))
    .prefault('24h')
    .register(fields, {
      description:
        'After this time people must sign in again in their browser, to a web page or for another client, even if they keep using it.',
    }),
  session_idle: scalar(duration({ min: '1s', max: '30d' }))
    .prefault('8h')
    .register(fields, {
      description: 'After this time without use people must sign in again in their browser.',
    }),
  hsts: toggle().prefault(true).register(fields, {
    description:
      'If `PUBLIC_URL` is https, tells browsers to open its host by https alone: `Strict-Transport-Security` for a year, without subdomains. Set `off` if your proxy sends it.',
  }),
  allowed_origins: list(parseAllowedOrigin)
    .prefault('loopback')
    .register(fields, {
      description:
        "Origins of web pages that may call, besides those of the resource and the gateway: a list, in which `loopback` stands for every origin on the browser's own computer, `moz-extension://*` for every extension of Firefox (also other schemes of programs), or `*` for any origin.",
      kind: 'list',
      aliases: ['MCP_CORS_ORIGINS'],
    }),
  client_registration: list(parseRegistrant).prefault('open').register(fields, {
    description:
      'Clients that may register: `open` (any), `off` (only the clients in the configuration), or the hosts that they may redirect to, such as `claude.ai,localhost,cursor:` (a colon after the scheme of an app). `open,myapp:` allows every host and one more app scheme. Applies to clients that registered earlier, too.',
    kind: 'list',
  }),
  client_lifetime: scalar(durationOrNever({ min: '1s', max: '3650d' }))
    .prefault('never')
    .register(fields, {
      description: 'After this time a registered client must register again.',
      aliases: ['CLIENT_REGISTRATION_TTL', 'MCP_OAUTH2_PROXY_AUTH_CLIENTTTL'],
    }),
  client_metadata_hosts: list(parseMetadataHost).optional().register(fields, {
    description:
      'Hosts whose clients need no registration, because the URL of their metadata document is their client id: `open` (any host of the Internet), `off`, or a list such as `claude.ai,*.example.com`; a port other than 443 has to be named. `open,clients.example.com:8443` allows both. Default: `open`, or `off` with `CLIENT_REGISTRATION=off` (docs/client-metadata.md).',
    example: 'claude.ai,vscode.dev,chatgpt.com',
    kind: 'list',
  }),
  client_metadata_denied_hosts: list(parseDeniedHost).optional().register(fields, {
    description:
      'Hosts whose clients are refused, with every host below them, whatever `CLIENT_METADATA_HOSTS` says.',
    example: 'example.net',
    kind: 'list',
  }),
  client_metadata_pinned: list(parsePath).optional().register(fields, {
    description:
      'Files with metadata documents, saved as their clients publish them. Gatewarden uses them as they are and fetches nothing: for clients whose host refuses servers, and for machines without a way out.',
    example: '/etc/gatewarden/clients/vscode.json',
    kind: 'list',
  }),
  client_metadata_loopback: toggle().prefault(false).register(fields, {
    description:
      'For development: reads metadata documents of this machine too, at `localhost` and loopback addresses, by http and at any port. Only if `PUBLIC_URL` is on this machine as well.',
    kind: 'switch',
  }),
  mcpauth_bootstrap_clients: text(parseBootstrapClients).optional().register(fields, {
    description:
      'Preregistered clients as one JSON list, in the format of mcpauth. `clients` in the file is the same list in YAML.',
    secret: true,
  }),
  static_bearer_tokens: list(parseFlatToken)
    .optional()
    .register(fields, {
      description:
        'Fixed tokens for programs that cannot sign in: `name:token`, the token at least 32 characters. Each token opens every server with all its scopes; `static_tokens` in the file can open less.',
      secret: true,
      kind: 'list',
      aliases: ['AUTHORIZATION_BEARER_TOKEN'],
    }),
  api_key_header: text(parseApiKeyHeader).prefault('X-API-Key').register(fields, {
    description:
      'Header that a program may send its API key in, instead of `Authorization` (docs/programs.md). Another name belongs into the files of your proxy, too.',
  }),
  identity_headers: identityHeaders().prefault(IDENTITY_HEADER_NAMES.join(',')).register(fields, {
    description:
      "Headers that tell a server who calls. `X-Auth-Request-User=X-Forwarded-User` sends a header under another name. In the file, also a map of header to `user`, `email`, `groups`, `scopes`, `client`, `id` (ours), `subject` (the provider's own id of the person; empty for programs) or `name`. Copy the same headers in your proxy.",
    kind: 'list',
  }),
  assertion_header: text(parseAssertionHeader).optional().register(fields, {
    description:
      'Header with a signed statement about the caller for the server: a JWT with e-mail, groups and scopes, which the keys at `/jwks` verify (docs/assertion.md). Off unless set. Traefik, nginx and ingress-nginx copy `Cf-Access-Jwt-Assertion` with our files; list another name there.',
    example: 'Cf-Access-Jwt-Assertion',
  }),
  revoke_before: scalar(parseInstant).optional().register(fields, {
    description:
      'Everybody who signed in before this point in time must sign in again: a date, a time with its zone, or seconds since 1970. The start deletes those sign-ins and stores the time, so you can remove the line afterwards.',
    example: '2026-01-01T00:00:00Z',
  }),
  rate_limit: scalar(parseRateLimit).prefault(600).register(fields, {
    description:
      'Requests per minute and client address, counted separately for discovery, registration, requests of devices, tokens, revocation, introspection, login, and requests to servers that are refused; with Redis, across all replicas (refused requests: in each). An IPv6 /64 counts as one address, a /56 may send twice as many, a /48 four times. Above it the answer is 429 with `Retry-After`. 0 means no limit.',
  }),
  rate_limit_discovery: scalar(parseRateLimit).optional().register(fields, {
    description: 'The same for the discovery documents and `/jwks`, in place of `RATE_LIMIT`.',
    example: '600',
  }),
  rate_limit_register: scalar(parseRateLimit).optional().register(fields, {
    description: 'The same for `/register`.',
    example: '30',
  }),
  rate_limit_device: scalar(parseRateLimit).optional().register(fields, {
    description: 'The same for `/device_authorization`.',
    example: '30',
  }),
  rate_limit_token: scalar(parseRateLimit).optional().register(fields, {
    description:
      'The same for `/token`. It leaves out the polls of a device that waits for its person.',
    example: '600',
  }),
  rate_limit_revoke: scalar(parseRateLimit).optional().register(fields, {
    description: 'The same for `/revoke`.',
    example: '600',
  }),
  rate_limit_introspect: scalar(parseRateLimit).optional().register(fields, {
    description: 'The same for `/introspect`.',
    example: '600',
  }),
  rate_limit_login: scalar(parseRateLimit).optional().register(fields, {
    description: 'The same for the pages of a sign-in, `/authorize` among them.',
    example: '120',
  }),
  rate_limit_refused: scalar(parseRateLimit).optional().register(fields, {
    description:
      'The same for requests to the protected servers that no credential lets in. Requests with a good one are never counted.',
    example: '600',
  }),
  max_stale: scalar(duration({ min: '0s', max: '1h' }))
    .prefault('60s')
    .register(fields, {
      description:
        'How long tokens that Gatewarden has checked before keep working while Redis does not answer.',
    }),
  shutdown_delay: scalar(duration({ min: '0s', max: '10m' }))
    .prefault('0s')
    .register(fields, {
      description:
        'How long Gatewarden goes on serving after SIGTERM, while `/readyz` says 503. Set it longer than your proxy needs to notice.',
    }),
  shutdown_timeout: scalar(duration({ min: '0s', max: '1h' }))
    .prefault('2s')
    .register(fields, {
      description:
        'How long requests that are open after `SHUTDOWN_DELAY`, such as event streams, may go on before they are cut.',
    }),
  brand_name: text(parseBrandName).optional().register(fields, {
    description:
      'Your name on the pages that people see, in place of Gatewarden. In the file also `name` of `brand`.',
    example: 'Example Inc.',
  }),
  brand_logo: text(parseBrandLogo).optional().register(fields, {
    description:
      'Your logo beside the name: an image in base64 (`data:image/png;base64,...`, 32 KiB at most), or the path of one that your proxy serves on the host of `PUBLIC_URL`, such as `/logo.png`. In the file also `logo` of `brand`.',
    example: '/logo.png',
  }),
  brand_color: scalar(parseBrandColor).optional().register(fields, {
    description:
      'The colour of buttons and icons, such as `0b5fff`. Light pages make it darker and dark ones lighter, as far as people need to read it. In the file also `color` of `brand`.',
    example: '0b5fff',
  }),
  brand_support: text(parseBrandSupport).optional().register(fields, {
    description:
      'Where people get help and ask to be let in: an e-mail address, or an https address. It stands on every page. In the file also `support` of `brand`.',
    example: 'help@example.com',
  }),
  brand_login_help: text(parseLoginHelp).optional().register(fields, {
    description:
      'A sentence below the built-in login for people who do not know their password. In the file also `login_help` of `brand`.',
    example: 'Forgot your password? Call 1234.',
  }),
  prod_mode: toggle().prefault(false).register(fields, {
    description: 'Refuses to start with unsafe settings and weak secrets.',
    kind: 'switch',
  }),
  log_level: scalar(parseLogLevel)
    .prefault('info')
    .register(fields, {
      description:
        '`debug`, `info`, `warn`, `error`, `silent`; or a name of pino, logrus, zap or Python (`trace`, `warning`, `critical`) or a number of pino (30); or 0, 1, 2 as in mcpauth. Gatewarden logs each allowed check at `debug` only.',
      aliases: ['MCP_OAUTH2_PROXY_LOG_LEVEL'],
    }),
  log_format: scalar(parseLogFormat)
    .optional()
    .register(fields, {
      description:
        '`json`: one JSON object per line. `text`: short lines for people. Default: `text` on a terminal, else `json`.',
      aliases: ['MCP_OAUTH2_PROXY_LOG_FORMAT'],
    }),
})

/** The flat settings, parsed. */
export type Settings = z.output<typeof Settings>
export type SettingKey = keyof Settings

/** A setting of the table, with its names and its description. */
export interface Setting extends Field {
  readonly key: SettingKey
  /** `PUBLIC_URL`. */
  readonly name: string
  /** The default as people would write it; undefined if there is none. */
  readonly default: string | undefined
}

/** The whole table, in order. */
export const settings: readonly Setting[] = Settings.keyof().options.map((key) => {
  const schema: z.ZodType = Settings.shape[key]
  const field = fields.get(schema)
  if (!field) throw new Error(`${key} is not described`)
  const fallback = schema instanceof z.ZodPrefault ? String(schema.def.defaultValue) : undefined
  return { ...field, key, name: key.toUpperCase(), default: fallback }
})

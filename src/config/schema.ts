/**
 * Every setting of the flat list, once: its name, kind, default and what people read about it. `PUBLIC_URL` in the
 * environment is `public_url` in the file and `--public-url` as a flag. What only the file can say is in
 * `resources.ts`, `people.ts` and `users.ts`.
 *
 * @module
 */
import * as z from 'zod'
import { parseBootstrapClients } from './values/bootstrap-clients.ts'
import { parseCookieDomain } from './values/cookie-domain.ts'
import { duration, durationOrNever } from './values/durations.ts'
import { type Field, fields, list, scalar, text, toggle } from './values/fields.ts'
import { IDENTITY_HEADER_NAMES, identityHeaders } from './values/identity-headers.ts'
import { parseInstant } from './values/instants.ts'
import { parseAllowedEmail, parseDomain, parseGroup, parseHostedDomain } from './values/people.ts'
import {
  parseHttpScheme,
  parseKeycloakHost,
  parseListenHost,
  parseLogLevel,
  parseNetwork,
  parsePath,
  parsePort,
  parseProvider,
  parseRateLimit,
  parseRealm,
  parseSecret,
  parseToken,
  splitSecrets,
} from './values/plain.ts'
import { parseRedisUrl } from './values/redis-url.ts'
import { parseRegistrant } from './values/registration.ts'
import { parseScopeToken } from './values/scopes.ts'
import { parseFlatToken } from './values/static-token.ts'
import {
  parseAllowedOrigin,
  parseIssuerUrl,
  parsePublicUrl,
  parseResourceUrl,
  parseUpstreamUrl,
} from './values/urls.ts'

/** The settings by their names in the file. Rules that involve more than one are in `build.ts`. */
export const Settings = z.object({
  public_url: text(parsePublicUrl)
    .optional()
    .register(fields, {
      description:
        "The gateway's own origin: issuer, pages, callback. https, or http on this machine. `OAUTH_DOMAIN` is its host alone.",
      example: 'https://auth.example.com',
      aliases: ['OAUTH_DOMAIN'],
    }),
  dev_mode: toggle().prefault(false).register(fields, {
    description: 'Allows plain http beyond this machine, and makes `OAUTH_DOMAIN` mean http.',
    kind: 'switch',
  }),
  host: text(parseListenHost).prefault('0.0.0.0').register(fields, {
    description: 'The address it listens on.',
  }),
  port: scalar(parsePort).prefault(11_000).register(fields, {
    description: 'The port it listens on.',
  }),
  data_dir: text(parsePath).prefault('./data').register(fields, {
    description:
      'Keys, secrets it makes (mode 0600) and the store. A local disk, not a network share.',
  }),
  redis_url: text(parseRedisUrl).optional().register(fields, {
    description:
      'Keeps the store in Redis (6.2 or later, or Valkey) instead, for more than one machine: `redis://user:password@host:6379/0`, `redis+sentinel://host1,host2,host3/master`, `redis+cluster://host1,host2`; `rediss` for TLS. `SECRET` is required then.',
    secret: true,
  }),
  redis_ca: text(parsePath).optional().register(fields, {
    description:
      "The file with the certificates (PEM) of the authority that signed Redis's own, if not a public one.",
    example: '/etc/gatewarden/redis-ca.pem',
  }),
  resources: list(parseResourceUrl).optional().register(fields, {
    description: 'URLs of the protected MCP servers. In the file, a map can say more of each.',
    example: 'https://mcp.example.com/notes/mcp',
    kind: 'list',
  }),
  upstream_url: text(parseUpstreamUrl)
    .optional()
    .register(fields, {
      description:
        'With exactly one resource: where it really is. Gatewarden is its reverse proxy then.',
      example: 'http://notes:3000/mcp',
      aliases: ['UPSTREAM_MCP_URL'],
    }),
  trusted_proxies: list(parseNetwork).prefault('127.0.0.0/8,::1').register(fields, {
    description: 'Addresses and CIDRs whose forwarded headers count: those of your proxy.',
    kind: 'list',
  }),
  provider: text(parseProvider).prefault('builtin').register(fields, {
    description:
      'Who says who somebody is. `builtin`: the users in the file. `keycloak`, `google`, or `oidc` for any other OpenID Connect provider (docs/providers).',
  }),
  issuer_url: text(parseIssuerUrl).optional().register(fields, {
    description:
      'The issuer of the provider; of Keycloak, the address of the realm. Google needs none.',
    example: 'https://id.example.com/realms/main',
  }),
  client_id: text(parseToken)
    .optional()
    .register(fields, {
      description:
        'What the provider calls Gatewarden. Its redirect URI there is `PUBLIC_URL/callback`.',
      example: 'gatewarden',
      aliases: ['GOOGLE_CLIENT_ID'],
    }),
  client_secret: text(parseToken)
    .optional()
    .register(fields, {
      description: 'What Gatewarden proves that with.',
      secret: true,
      aliases: ['GOOGLE_CLIENT_SECRET'],
    }),
  google_hosted_domain: list(parseHostedDomain).optional().register(fields, {
    description:
      'Google Workspace domains that people must be managed by. Without it anybody with a Google account can sign in, and the `ALLOWED_` lists decide.',
    example: 'example.com',
    kind: 'list',
  }),
  accept_provider_tokens: toggle().prefault(false).register(fields, {
    description:
      "The provider's own access tokens are bearers too, for clients that still have some. Read docs/provider-tokens.md first.",
    kind: 'switch',
  }),
  provider_token_clients: list(parseToken).optional().register(fields, {
    description:
      'Further clients at the provider whose access tokens are accepted then, beside `CLIENT_ID`.',
    example: 'old-desktop-app',
    kind: 'list',
  }),
  keycloak_auth_host: text(parseKeycloakHost).optional().register(fields, {
    description:
      'Another way to say which Keycloak, instead of `ISSUER_URL`; `localhost` where only the others are set.',
    example: 'id.example.com',
  }),
  keycloak_auth_port: scalar(parsePort).prefault(8080).register(fields, {
    description: 'Its port; 443 and 80 are left out of the issuer where they are the default.',
  }),
  keycloak_auth_protocol: text(parseHttpScheme)
    .prefault('https')
    .register(fields, {
      description: 'Its scheme.',
      aliases: ['KEYCLOAK_PROTOCOL'],
    }),
  keycloak_realm: text(parseRealm).prefault('master').register(fields, {
    description: 'Its realm.',
  }),
  groups_claim: text(parseToken).prefault('groups').register(fields, {
    description:
      "The claim of the provider's ID token, or of its userinfo, that lists a person's groups.",
  }),
  allowed_emails: list(parseAllowedEmail).optional().register(fields, {
    description:
      'E-mail addresses that may pass. One of the three `ALLOWED_` lists must let someone in; `*` in any is anyone who can log in.',
    example: 'ann@example.com',
    kind: 'list',
  }),
  allowed_domains: list(parseDomain).optional().register(fields, {
    description: 'Mail domains that may pass. Subdomains are not included.',
    example: 'example.com',
    kind: 'list',
  }),
  allowed_groups: list(parseGroup).optional().register(fields, {
    description: 'Groups that may pass.',
    example: 'staff',
    kind: 'list',
  }),
  allowed_scopes: list(parseScopeToken).optional().register(fields, {
    description:
      'Scopes on offer at resources that list none of their own. None at all is one, `mcp`.',
    example: 'notes:read,notes:write',
    kind: 'list',
  }),
  required_scopes: list(parseScopeToken).optional().register(fields, {
    description: 'Scopes demanded at resources that say nothing else.',
    example: 'notes:read',
    kind: 'list',
  }),
  secret: text(parseSecret).optional().register(fields, {
    description: 'Root of all derived keys, 32 characters at least. Made in `DATA_DIR` if absent.',
    secret: true,
  }),
  secret_previous: list(parseSecret, splitSecrets).optional().register(fields, {
    description:
      'Former secrets, newest first, one a line in a file. What they sealed stays valid until they are removed.',
    secret: true,
    kind: 'list',
  }),
  access_token_lifetime: scalar(duration({ min: '1s', max: '24h' }))
    .prefault('1h')
    .register(fields, {
      description: 'How long an access token works before its client refreshes it.',
    }),
  grant_lifetime: scalar(duration({ min: '1s', max: '3650d' }))
    .prefault('30d')
    .register(fields, {
      description: 'After this long people sign in again, whatever happens.',
    }),
  grant_idle: scalar(duration({ min: '1s', max: '3650d' }))
    .prefault('14d')
    .register(fields, {
      description: 'After this long without a refresh people sign in again.',
    }),
  refresh_grace: scalar(duration({ min: '0s', max: '1h' }))
    .prefault('60s')
    .register(fields, {
      description: 'How long a refresh whose answer was lost may be repeated.',
    }),
  cookie_domain: text(parseCookieDomain).optional().register(fields, {
    description:
      'The domain whose hosts share one browser session: the host of `PUBLIC_URL` or a domain above it. Every host under it gets the cookie. Without it each host has a session of its own.',
    example: 'example.com',
  }),
  enable_edge_auth: toggle().prefault(false).register(fields, {
    description:
      'Lets a command line get the session of the person in front of it: `/auth/connect`, `/auth/oidc-config` and `/_ws_tunnel` (docs/edge-auth.md).',
    kind: 'switch',
  }),
  session_lifetime: scalar(duration({ min: '1s', max: '30d' }))
    .prefault('24h')
    .register(fields, {
      description: 'After this long people sign in to a web page again, whatever happens.',
    }),
  session_idle: scalar(duration({ min: '1s', max: '30d' }))
    .prefault('8h')
    .register(fields, {
      description: 'After this long without a request people sign in to a web page again.',
    }),
  allowed_origins: list(parseAllowedOrigin).prefault('loopback').register(fields, {
    description:
      "Origins whose browsers may call, beside a resource's own and ours: a list, in which `loopback` is every one of this computer, or `*` for any.",
    kind: 'list',
  }),
  client_registration: list(parseRegistrant).prefault('open').register(fields, {
    description:
      'Which programs may make themselves known: `open`, `off` (only the clients of the configuration), or the hosts that they may redirect to, such as `claude.ai,localhost,cursor:` (a colon after the scheme of an app). Counts for those that registered before as well.',
    kind: 'list',
  }),
  client_lifetime: scalar(durationOrNever({ min: '1s', max: '3650d' }))
    .prefault('never')
    .register(fields, {
      description: 'After this long a program that made itself known has to do it again.',
    }),
  mcpauth_bootstrap_clients: text(parseBootstrapClients).optional().register(fields, {
    description:
      'Clients known beforehand as one JSON list, as mcpauth has it. `clients` in the file is the same, in YAML.',
    secret: true,
  }),
  static_bearer_tokens: list(parseFlatToken)
    .optional()
    .register(fields, {
      description:
        'Fixed tokens for programs that cannot sign in: `name:token`, 32 characters at least. Each opens every server with all its scopes; `static_tokens` in the file says less.',
      secret: true,
      kind: 'list',
      aliases: ['AUTHORIZATION_BEARER_TOKEN'],
    }),
  identity_headers: identityHeaders().prefault(IDENTITY_HEADER_NAMES.join(',')).register(fields, {
    description:
      'The headers that tell a server who calls. `X-Auth-Request-User=X-Forwarded-User` sends one under another name; in the file also a map of header to `user`, `email`, `groups`, `scopes`, `client`, `id` or `name`. Copy the same ones in your proxy.',
    kind: 'list',
  }),
  revoke_before: scalar(parseInstant).optional().register(fields, {
    description:
      'Everybody who signed in before signs in again: a date, a time with its zone, or seconds since 1970.',
    example: '2026-01-01T00:00:00Z',
  }),
  rate_limit: scalar(parseRateLimit).prefault(600).register(fields, {
    description:
      'Requests a minute and address at each of registration, tokens and login; with Redis at all replicas together. 0 is no limit.',
  }),
  max_stale: scalar(duration({ min: '0s', max: '1h' }))
    .prefault('60s')
    .register(fields, {
      description:
        'How long tokens that were checked before keep working while Redis does not answer.',
    }),
  prod_mode: toggle().prefault(false).register(fields, {
    description: 'Refuses to start with unsafe settings and weak secrets.',
    kind: 'switch',
  }),
  log_level: scalar(parseLogLevel).prefault('info').register(fields, {
    description:
      '`debug`, `info`, `warn`, `error`; or 0, 1, 2. Allowed checks are logged at `debug` only.',
  }),
})

/** The flat settings, parsed. */
export type Settings = z.output<typeof Settings>
export type SettingKey = keyof Settings

/** One setting of the table with its names and what people read about it. */
export interface Setting extends Field {
  readonly key: SettingKey
  /** `PUBLIC_URL`. */
  readonly name: string
  /** As people would write it; undefined if there is none. */
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

/**
 * Every setting of the flat list, once: its name, kind, default and what people read about it. `PUBLIC_URL` in the
 * environment is `public_url` in the file and `--public-url` as a flag. What only the file can say is in
 * `resources.ts`, `people.ts` and `users.ts`.
 *
 * @module
 */
import * as z from 'zod'
import { duration } from './durations.ts'
import { type Field, fields, list, scalar, text, toggle } from './fields.ts'
import { parseAllowedEmail, parseDomain, parseGroup } from './people.ts'
import { parseScopeToken } from './scopes.ts'
import { parseAllowedOrigin, parsePublicUrl, parseResourceUrl, parseUpstreamUrl } from './urls.ts'
import {
  parseListenHost,
  parseLogLevel,
  parseNetwork,
  parsePath,
  parsePort,
  parseProvider,
  parseSecret,
} from './values.ts'

/** The settings by their names in the file. Rules that involve more than one are in `rules.ts`. */
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
    description: 'Who says who somebody is. `builtin`: the users in the file.',
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
  secret_previous: list(parseSecret).optional().register(fields, {
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
  allowed_origins: list(parseAllowedOrigin).prefault('loopback').register(fields, {
    description:
      "Origins whose browsers may call, beside a resource's own and ours: `loopback`, a list, or `*` for any.",
    kind: 'list',
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

/**
 * A protected MCP server, as the file describes it.
 *
 * @module
 */
import * as z from 'zod'
import type { AllowList } from '../../resources/policy.ts'
import { nameOfUnnamed, type ResourceConfig } from '../../resources/resource-table.ts'
import { ALL_TOOLS, TOOL_SCOPES } from '../../resources/tool-choices.ts'
import type { Disk } from '../sources/disk.ts'
import { fields, list, section, text, toggle } from '../values/fields.ts'
import { Allow, isEmpty, toAllowList } from '../values/people.ts'
import { parseDisplayName, parseSharedHost } from '../values/plain.ts'
import { attempt, type Report } from '../values/problem.ts'
import { parseScopeToken, resolveScopes, type ScopeSettings } from '../values/scopes.ts'
import {
  parseAlias,
  parseAlsoPath,
  parseIssuerUrl,
  parsePublicPath,
  parseResourceUrl,
  parseUpstreamUrl,
} from '../values/urls.ts'
import { checkOpenPaths } from './open-paths.ts'
import { buildPassThrough, PassThrough } from './pass-through.ts'

export const Resource = section({
  url: text(parseResourceUrl).register(fields, {
    description:
      'URL that people enter in their client, and the audience of its tokens. With `https://*.example.com` every host is a resource of its own, except the host of `PUBLIC_URL`.',
  }),
  name: text(parseDisplayName)
    .optional()
    .register(fields, { description: 'Name that people see.' }),
  scopes: z
    .record(z.string(), text(parseDisplayName), {
      error: 'must be a map. Write each as `scope: its description`.',
    })
    .optional()
    .register(fields, { description: 'Scopes offered, each with a description for people.' }),
  scopes_endpoint: text(parseUpstreamUrl).optional().register(fields, {
    description:
      'URL at which Gatewarden asks the server for its tools, and for the scopes in `_meta.scopes` of that answer. Default: the `upstream`, unless `scopes` or `ALLOWED_SCOPES` lists them. A list stays whole: then the server only says which tools its scopes open (docs/servers.md).',
  }),
  required_scopes: list(parseScopeToken).optional().register(fields, {
    description: 'Scopes required at every request.',
  }),
  default_scopes: list(parseScopeToken).optional().register(fields, {
    description:
      'Scopes granted if a client requests none that exist. Default: the required scopes, or else all.',
  }),
  also: list(parseAlsoPath).optional().register(fields, {
    description: 'More paths on the same host, such as `/messages` of a legacy HTTP+SSE server.',
  }),
  aliases: list(parseAlias).optional().register(fields, {
    description:
      'More addresses at which clients reach this server, such as `http://gatewarden:11000/mcp` inside a network. Each has its own documents; tokens are for `url`. A loopback `url` answers to `localhost`, `127.0.0.1` and `[::1]` without this setting.',
  }),
  default: toggle().optional().register(fields, {
    description: 'Makes this the resource for clients that name none.',
  }),
  allow: Allow.optional().register(fields, {
    description:
      'People who may pass here, instead of the global lists: `{ emails: [], domains: [], groups: [] }`.',
  }),
  accept_provider_tokens: toggle().optional().register(fields, {
    description: "Whether the provider's own access tokens are accepted here as bearer tokens.",
  }),
  authorization_servers: list((value) => parseIssuerUrl(value).href)
    .optional()
    .register(fields, {
      description:
        'Issuers that the document of this server names, in this order; clients go to the first. Default: the origin of `PUBLIC_URL`, then `ISSUER_URL` if `accept_provider_tokens` is on. Another one than these two is refused, and `ISSUER_URL` needs `accept_provider_tokens` (docs/provider-tokens.md).',
    }),
  application_bearer: toggle().optional().register(fields, {
    description:
      "Whether `Authorization: Bearer` is the application's own here: the session of the browser decides, and the header goes on unchanged. Access tokens of Gatewarden are refused.",
  }),
  root_documents: toggle().optional().register(fields, {
    description:
      'Whether its host serves `/.well-known/oauth-authorization-server` and `/.well-known/openid-configuration` for clients of MCP 2025-03-26, which look nowhere else (the default). `false` leaves both to other applications of the host; newer clients go by the challenge.',
  }),
  public: list(parsePublicPath).optional().register(fields, {
    description:
      'Paths of its host that need no token, such as `/notes/health`, or `/notes/assets/*` for everything below. A caller with a good token or session is named there as elsewhere; any other caller is nobody.',
  }),
  mcp_only: toggle().optional().register(fields, {
    description:
      'Whether the server has nothing for browsers: a signed-in person who opens its address gets a page that says what to paste into which MCP client. With an `upstream` Gatewarden notices by itself.',
  }),
  ...PassThrough.shape,
  shared_host: text(parseSharedHost).optional().register(fields, {
    description:
      'For a resource on the host of `PUBLIC_URL`. `sandboxed`: your proxy gives its pages an origin of their own, as the shipped files do (Gatewarden does so itself for an `upstream`). `pages`: its pages need the origin of the login, and can act there as the people who open them.',
  }),
})
export type Resource = z.output<typeof Resource>

/** The flat settings that apply to every resource. */
export interface GlobalRules {
  readonly allow: AllowList
  readonly scopes: ScopeSettings
  readonly acceptProviderTokens: boolean
}

/** All scopes of a resource together, with a space between two: servers take headers of 16 KiB at most. */
const MAX_SCOPES_LENGTH = 10_000

/** @returns the resource as configured, or undefined if it has a problem of its own */
export function buildResource(
  id: string,
  resource: Resource,
  { global, disk, report }: { global: GlobalRules; disk: Disk; report: Report },
): ResourceConfig | undefined {
  const at = `resources.${id}`
  const before = report.problems.length
  if (!/^(?!\.+$)[A-Za-z0-9._-]{1,64}$/.test(id)) {
    report.problem(at, 'is not an id. Use 1 to 64 letters, digits, dots, dashes and underscores.')
  }
  for (const scope of Object.keys(resource.scopes ?? {})) {
    attempt(report, `${at}.scopes`, () => parseScopeToken(scope))
  }
  if (resource.scopes && Object.keys(resource.scopes).length === 0) {
    report.problem(`${at}.scopes`, 'lists no scope. Add one, or leave the setting out.')
  }
  const allow = resource.allow
    ? toAllowList(resource.allow, global.allow.verifiedEmail === true)
    : global.allow
  if (resource.allow && isEmpty(allow)) {
    report.problem(
      `${at}.allow`,
      'lets nobody in. Add someone, or leave it out to use the global lists.',
    )
  }
  if (resource.default && resource.url.includes('*')) {
    report.problem(
      `${at}.default`,
      'is set for a wildcard, which is not a single server. Set it for another resource.',
    )
  }
  if (resource.aliases && resource.url.includes('*')) {
    report.problem(
      `${at}.aliases`,
      'is set for a wildcard, which is not a single server. Give each server an entry of its own.',
    )
  }
  const acceptProviderTokens = resource.accept_provider_tokens ?? global.acceptProviderTokens
  if (resource.application_bearer && acceptProviderTokens) {
    report.problem(
      `${at}.application_bearer`,
      'conflicts with accept_provider_tokens: a bearer token is either for Gatewarden or for the application. Set accept_provider_tokens: false for this resource.',
    )
  }
  const { unknown, ...scopes } = scopesOf(resource, { global, at, report })
  reportUnknownScopes({ at, resource, unknown, report })
  const length = Object.keys(scopes.scopes).join(' ').length
  if (length > MAX_SCOPES_LENGTH) {
    report.problem(
      resource.scopes ? `${at}.scopes` : 'ALLOWED_SCOPES',
      `is a list of ${length} characters, but a token that carries all of it must fit into a header. Shorten it to ${MAX_SCOPES_LENGTH} characters.`,
    )
  }
  checkOpenPaths(resource.public ?? [], {
    url: resource.url,
    also: resource.also ?? [],
    at,
    report,
  })
  const passThrough = buildPassThrough(resource, { at, disk, report })
  if (report.problems.length > before) return undefined
  return {
    id,
    url: resource.url,
    name: resource.name ?? nameOfUnnamed(resource.url),
    ...scopes,
    ...(resource.tool_choices && { toolChoices: true }),
    also: resource.also ?? [],
    ...(resource.public && { openPaths: resource.public }),
    ...(resource.aliases && { aliases: resource.aliases }),
    isDefault: resource.default ?? false,
    allow,
    acceptProviderTokens,
    ...(resource.authorization_servers && {
      authorizationServers: resource.authorization_servers,
    }),
    ...(resource.application_bearer && { applicationBearer: true }),
    ...(resource.root_documents === false && { rootDocuments: false }),
    ...(resource.mcp_only && { mcpOnly: true }),
    ...(resource.scopes_endpoint !== undefined && { scopesEndpoint: resource.scopes_endpoint }),
    ...(resource.upstream !== undefined && { upstream: resource.upstream }),
    ...(passThrough && { passThrough }),
    ...(resource.shared_host !== undefined && { sharedHost: resource.shared_host }),
  }
}

/** The scopes of the settings; where people choose among tools, those of the tools. */
function scopesOf(
  resource: Resource,
  { global, at, report }: { global: GlobalRules; at: string; report: Report },
): ReturnType<typeof resolveScopes> {
  const own = {
    offered: resource.scopes,
    required: resource.required_scopes,
    default: resource.default_scopes,
  }
  if (!resource.tool_choices) return resolveScopes(own, global.scopes)
  const { offered, required } = global.scopes
  if ([own.offered, own.required, own.default, offered].some(Boolean) || required?.length) {
    report.problem(
      `${at}.tool_choices`,
      'conflicts with the settings that name scopes. Remove scopes, required_scopes and default_scopes of this resource, ALLOWED_SCOPES and REQUIRED_SCOPES, or leave tool_choices out.',
    )
  }
  if (resource.application_bearer) {
    report.problem(
      `${at}.tool_choices`,
      'conflicts with application_bearer: no client has a token of Gatewarden there. Remove one of the two.',
    )
  }
  if (resource.accept_provider_tokens ?? global.acceptProviderTokens) {
    report.warning(
      `${at}.tool_choices`,
      'leaves tokens of the provider without any tool, unless they have a scope such as tools:all. Set accept_provider_tokens: false here, or leave tool_choices out.',
    )
  }
  return {
    scopes: TOOL_SCOPES,
    requiredScopes: [],
    defaultScopes: [ALL_TOOLS],
    scopesBeside: TOOL_SCOPES,
    unknown: { required: [], default: [] },
  }
}

function reportUnknownScopes(found: {
  at: string
  resource: Resource
  unknown: { required: string[]; default: string[] }
  report: Report
}): void {
  const { at, resource, unknown, report } = found
  const offer = resource.scopes ? `${at}.scopes` : 'ALLOWED_SCOPES'
  for (const scope of unknown.required) {
    if (resource.required_scopes) {
      report.problem(
        `${at}.required_scopes`,
        `"${scope}" is not an offered scope. Add it to ${offer}.`,
      )
    } else if (resource.scopes) {
      report.problem(
        offer,
        `lacks "${scope}", which REQUIRED_SCOPES requires. Add it, or set required_scopes for this resource.`,
      )
    } else {
      report.problem(
        'REQUIRED_SCOPES',
        `"${scope}" is not an offered scope. Add it to ALLOWED_SCOPES.`,
      )
    }
  }
  for (const scope of unknown.default) {
    report.problem(
      `${at}.default_scopes`,
      `"${scope}" is not an offered scope. Add it to ${offer}.`,
    )
  }
}

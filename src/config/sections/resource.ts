/**
 * One protected MCP server, as the file describes it.
 *
 * @module
 */
import * as z from 'zod'
import type { AllowList } from '../../resources/policy.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import { fields, list, section, text, toggle } from '../values/fields.ts'
import { Allow, isEmpty, toAllowList } from '../values/people.ts'
import { parseDisplayName } from '../values/plain.ts'
import { attempt, type Report } from '../values/problem.ts'
import { parseScopeToken, resolveScopes, type ScopeSettings } from '../values/scopes.ts'
import { parseAlsoPath, parseResourceUrl, parseUpstreamUrl } from '../values/urls.ts'

export const Resource = section({
  url: text(parseResourceUrl).register(fields, {
    description:
      'What people give their client, and the audience of its tokens. `https://*.example.com`: every host its own resource.',
  }),
  name: text(parseDisplayName).optional().register(fields, { description: 'Shown to people.' }),
  scopes: z
    .record(z.string(), text(parseDisplayName), {
      error: 'must be a map. Write each as `scope: what it means in words`.',
    })
    .optional()
    .register(fields, { description: 'Scopes on offer, each with what it means in words.' }),
  required_scopes: list(parseScopeToken).optional().register(fields, {
    description: 'Demanded at every request.',
  }),
  default_scopes: list(parseScopeToken).optional().register(fields, {
    description:
      'Granted when a client asks for none that exist. Else the required ones, else all.',
  }),
  also: list(parseAlsoPath).optional().register(fields, {
    description: 'Further paths on the same host, such as `/messages` of a legacy HTTP+SSE server.',
  }),
  default: toggle().optional().register(fields, {
    description: 'The one meant when a client names none.',
  }),
  allow: Allow.optional().register(fields, {
    description:
      'Who may pass here, instead of the global lists: `{ emails: [], domains: [], groups: [] }`.',
  }),
  accept_provider_tokens: toggle().optional().register(fields, {
    description: "Whether the provider's own access tokens are bearers here.",
  }),
  upstream: text(parseUpstreamUrl).optional().register(fields, {
    description: 'Where it really is, when Gatewarden is its reverse proxy too.',
  }),
})
export type Resource = z.output<typeof Resource>

/** What the flat settings say for every resource. */
export interface GlobalRules {
  readonly allow: AllowList
  readonly scopes: ScopeSettings
  readonly acceptProviderTokens: boolean
}

/** A resource as configured; undefined if it has a problem of its own. */
export function buildResource(
  id: string,
  resource: Resource,
  { global, report }: { global: GlobalRules; report: Report },
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
    report.problem(`${at}.scopes`, 'names no scope. Name one, or leave the setting out.')
  }
  const allow = resource.allow ? toAllowList(resource.allow) : global.allow
  if (resource.allow && isEmpty(allow)) {
    report.problem(
      `${at}.allow`,
      'lets nobody in. Name someone, or leave it out to use the global lists.',
    )
  }
  if (resource.default && resource.url.includes('*')) {
    report.problem(`${at}.default`, 'is a wildcard, which names no one server. Mark another one.')
  }
  const { unknown, ...scopes } = resolveScopes(
    {
      offered: resource.scopes,
      required: resource.required_scopes,
      default: resource.default_scopes,
    },
    global.scopes,
  )
  reportUnknownScopes({ at, resource, unknown, report })
  if (report.problems.length > before) return undefined
  return {
    id,
    url: resource.url,
    name: resource.name ?? resource.url.replace(/^https?:\/\//, ''),
    ...scopes,
    also: resource.also ?? [],
    isDefault: resource.default ?? false,
    allow,
    acceptProviderTokens: resource.accept_provider_tokens ?? global.acceptProviderTokens,
    ...(resource.upstream !== undefined && { upstream: resource.upstream }),
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
      report.problem(`${at}.required_scopes`, `"${scope}" is not on offer. Add it to ${offer}.`)
    } else if (resource.scopes) {
      report.problem(
        offer,
        `"${scope}" is missing, which REQUIRED_SCOPES demands. Add it, or set required_scopes for this resource.`,
      )
    } else {
      report.problem('REQUIRED_SCOPES', `"${scope}" is not on offer. Add it to ALLOWED_SCOPES.`)
    }
  }
  for (const scope of unknown.default) {
    report.problem(`${at}.default_scopes`, `"${scope}" is not on offer. Add it to ${offer}.`)
  }
}

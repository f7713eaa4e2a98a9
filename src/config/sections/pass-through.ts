/**
 * The settings of a resource that Gatewarden is the reverse proxy of.
 *
 * @module
 */
import type * as z from 'zod'
import type { PassThroughRules } from '../../resources/pass-through.ts'
import type { Disk } from '../sources/disk.ts'
import { fields, section, text, toggle } from '../values/fields.ts'
import { parsePersonTokenHeader } from '../values/identity-headers.ts'
import {
  parsePath,
  parseUpstreamAuthorization,
  parseUpstreamChallenges,
  parseUpstreamHost,
} from '../values/plain.ts'
import { attempt, type Report } from '../values/problem.ts'
import { parseUpstreamUrl } from '../values/urls.ts'
import { buildMutations, Mutations } from './header-mutations.ts'

/** Part of `resources.<id>` in the file. */
export const PassThrough = section({
  upstream: text(parseUpstreamUrl).optional().register(fields, {
    description:
      'URL of the server itself; Gatewarden is then its reverse proxy. If the resource is a whole host, its own documents below `/.well-known/` need no sign-in.',
  }),
  upstream_host: text(parseUpstreamHost).optional().register(fields, {
    description:
      'The `Host` that the server behind gets: `own` (the default), as its URL says, or `public`, as the client asked.',
  }),
  upstream_challenges: text(parseUpstreamChallenges).optional().register(fields, {
    description:
      "What clients get if the server behind answers 401 or 403 itself: `ours` (the default), Gatewarden's challenge, or `own`, the server's own answer. With `application_bearer` the default is `own`.",
  }),
  upstream_authorization: text(parseUpstreamAuthorization).optional().register(fields, {
    description:
      'The `Authorization` that every request to the server behind has, with its scheme, such as `Bearer abc`. The `Authorization` of clients never goes there then.',
    secret: true,
  }),
  upstream_authorization_file: text(parsePath).optional().register(fields, {
    description: 'File that holds it, instead of `upstream_authorization`.',
  }),
  upstream_provider_token: text(parsePersonTokenHeader).optional().register(fields, {
    description:
      "The header in which the server behind gets the person's access token of the provider, such as `X-Provider-Token`; `Authorization` gets it as `Bearer`. Needs `RECHECK_AT_REFRESH=true`, which renews it. The server can act as the person wherever that token counts, and the consent page says so (docs/provider-tokens.md). Default: it gets none.",
  }),
  tool_choices: toggle().optional().register(fields, {
    description:
      'Whether people choose which tools a client may call: all, those that only read by the annotations of the server, or single ones. Calls of other tools are refused. In place of scopes (docs/servers.md).',
  }),
  header_mutations: Mutations.optional().register(fields, {
    description:
      'Changes of the headers to the server behind, in order, each a map: `{ action: remove, name: X-A }`, `{ action: add, name: X-A, value: text }`, `valueFrom` in place of `value` with one of `{ requestHeader: X-B }`, `{ queryParameter: b }`, `{ authorizationHeader: true }` (the bearer token) and `{ file: /run/secrets/a }`, or `{ action: set-x-forwarded }`. `add` replaces the header. Identity headers cannot be changed.',
  }),
})
type PassThrough = z.output<typeof PassThrough>

/** The names of the settings that mean nothing without an upstream. */
export const ONLY_WITH_UPSTREAM = Object.keys(PassThrough.shape).filter(
  (name) => name !== 'upstream',
)

/** @returns undefined if nothing differs from the defaults; problems go to the report */
export function buildPassThrough(
  section: PassThrough & { readonly application_bearer?: boolean | undefined },
  { at, disk, report }: { at: string; disk: Disk; report: Report },
): PassThroughRules | undefined {
  const hasOwnBearer = section.application_bearer ?? false
  if (!hasOwnBearer && !ONLY_WITH_UPSTREAM.some((name) => name in section)) return undefined
  const authorization = authorizationOf(section, { at, disk, report })
  if (authorization !== undefined && hasOwnBearer) {
    report.problem(
      `${at}.upstream_authorization`,
      'conflicts with application_bearer: the server would get two credentials. Remove one of the two.',
    )
  }
  return {
    host: section.upstream_host ?? 'own',
    challenges: section.upstream_challenges ?? (hasOwnBearer ? 'own' : 'ours'),
    ...(authorization !== undefined && { authorization }),
    ...(section.upstream_provider_token !== undefined && {
      personTokenHeader: section.upstream_provider_token,
    }),
    mutations: buildMutations(section.header_mutations ?? [], {
      at: `${at}.header_mutations`,
      disk,
      report,
    }),
  }
}

function authorizationOf(
  { upstream_authorization: value, upstream_authorization_file: file }: PassThrough,
  { at, disk, report }: { at: string; disk: Disk; report: Report },
): string | undefined {
  if (value !== undefined && file !== undefined) {
    report.problem(
      `${at}.upstream_authorization`,
      'conflicts with upstream_authorization_file. Remove one of the two.',
    )
  }
  if (value !== undefined || file === undefined) return value
  return attempt(report, `${at}.upstream_authorization_file`, () =>
    parseUpstreamAuthorization(disk.readSecret(file).trim()),
  )
}

/**
 * The settings of a resource that Gatewarden is the reverse proxy of.
 *
 * @module
 */
import type * as z from 'zod'
import type { PassThroughRules } from '../../resources/pass-through.ts'
import { fields, section, text } from '../values/fields.ts'
import { parseUpstreamHost } from '../values/plain.ts'
import { parseUpstreamUrl } from '../values/urls.ts'

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
})
type PassThrough = z.output<typeof PassThrough>

/** The names of the settings that mean nothing without an upstream. */
export const ONLY_WITH_UPSTREAM = Object.keys(PassThrough.shape).filter(
  (name) => name !== 'upstream',
)

/** @returns undefined if no such setting is given */
export function buildPassThrough(section: PassThrough): PassThroughRules | undefined {
  if (section.upstream_host === undefined) return undefined
  return { host: section.upstream_host }
}

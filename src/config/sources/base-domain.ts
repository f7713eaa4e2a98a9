/**
 * `BASE_DOMAIN`, as users of atrawog/mcp-oauth-gateway have it (sn3): the login is on its host `auth`, the servers are on
 * its other hosts. Other programs have a variable of that name, so any setting of ours that says either wins.
 *
 * @module
 */
import type { Report } from '../values/problem.ts'
import type { Given, Layer } from './layer.ts'
import { meaningOf } from './names.ts'

const NAME = 'BASE_DOMAIN'
const SAID_BY = ['public_url', 'resources', 'upstream_url'] as const

/**
 * The layers, with one more of the lowest precedence if the domain counts.
 * @param options.environments every place that environment variables come from, the highest precedence first
 * @param options.hasResources true if the file has its resources as a map, which is in no layer
 */
export function withBaseDomain(
  layers: readonly Layer[],
  options: {
    readonly environments: readonly Readonly<Record<string, string | undefined>>[]
    readonly hasResources: boolean
    readonly report: Report
  },
): readonly Layer[] {
  const { environments, hasResources, report } = options
  const domain = environments.map((env) => env[NAME]?.trim()).find((value) => value)
  if (domain === undefined) return layers
  const other = layers.flatMap(({ given }) => SAID_BY.flatMap((key) => given.get(key) ?? []))[0]
  if (other !== undefined || hasResources) {
    const written = other?.written ?? 'resources'
    report.warning(NAME, `has no effect, because ${written} is set too.`)
    return layers
  }
  const PUBLIC_URL = `https://auth.${domain}`
  const RESOURCES = `https://*.${domain}`
  report.warning(
    NAME,
    `means PUBLIC_URL=${PUBLIC_URL} and RESOURCES=${RESOURCES}: every other host of the domain is a protected server. Write these two settings to say so, or fewer servers.`,
  )
  const given = new Map(
    Object.entries({ PUBLIC_URL, RESOURCES }).flatMap(([name, value]) => entryOf(name, value)),
  )
  return [...layers, { from: 'environment', given, retired: [] }]
}

function entryOf(name: string, value: string): [Given['setting']['key'], Given][] {
  const meaning = meaningOf(name)
  if (meaning?.kind !== 'setting') return []
  return [[meaning.setting.key, { ...meaning, label: NAME, written: NAME, value }]]
}

/**
 * `BASE_DOMAIN`, as users of atrawog/mcp-oauth-gateway have it (sn3): the login is on its host `auth`, the servers are on
 * its other hosts. Other programs have a variable of that name, so any setting of ours that says either wins.
 *
 * @module
 */
import { quote, type Report } from '../values/problem.ts'
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
  const written = writtenIn(environments)
  if (written === undefined) return layers
  const other = layers.flatMap(({ given }) => SAID_BY.flatMap((key) => given.get(key) ?? []))[0]
  if (other !== undefined || hasResources) {
    report.warning(NAME, `has no effect, because ${other?.written ?? 'resources'} is set too.`)
    return layers
  }
  const domain = domainIn(written)
  if (domain !== written)
    report.problem(NAME, `${quote(written)} is more than a domain. Write ${NAME}=${domain}.`)
  const PUBLIC_URL = loginOf(domain)
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

/** The address of the login that the domain means, for an operator who has to write it; undefined without a domain. */
export function loginOfBaseDomain(
  environments: readonly Readonly<Record<string, string | undefined>>[],
): string | undefined {
  const written = writtenIn(environments)
  return written === undefined ? undefined : loginOf(domainIn(written))
}

const loginOf = (domain: string) => `https://auth.${domain}`

const writtenIn = (environments: readonly Readonly<Record<string, string | undefined>>[]) =>
  environments.map((env) => env[NAME]?.trim()).find((value) => value)

/** `example.com` for `https://example.com/` and for `.example.com`, as the domain of a cookie is written. */
const domainIn = (written: string) => written.replace(/^https?:\/\//i, '').replace(/^\.|\/$/g, '')

function entryOf(name: string, value: string): [Given['setting']['key'], Given][] {
  const meaning = meaningOf(name)
  if (meaning?.kind !== 'setting') return []
  return [[meaning.setting.key, { ...meaning, label: NAME, written: NAME, value }]]
}

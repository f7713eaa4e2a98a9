/**
 * Refuses `consent: false` for a client whose place another program could take: nobody would ask the person then (decision
 * K38, threats T1 and T7). Otherwise names the client at each start.
 *
 * @module
 */
import { DEVICE_CODE } from '../../oauth/grants/names.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Chosen } from '../sources/precedence.ts'
import { quote, type Report } from '../values/problem.ts'
import { isLoopbackHost, urlOf } from '../values/urls.ts'

interface Parts extends Pick<Chosen, 'settings'> {
  /** The name of the client in problems. */
  readonly at: string
  readonly hasSecret: boolean
  readonly grantTypes: readonly string[]
  readonly redirectUris: readonly string[]
  /** The servers that the client may use. */
  readonly servers: readonly ResourceConfig[]
  readonly hasScopes: boolean
  readonly report: Report
}

export function checkNoConsent(parts: Parts): void {
  const { at, settings, hasSecret, grantTypes, redirectUris, servers, hasScopes, report } = parts
  const label = `${at}.consent`
  if (!grantTypes.includes('authorization_code')) {
    report.problem(
      label,
      `is false, but ${grantTypes.includes(DEVICE_CODE) ? 'people of a device are always asked' : 'nobody signs in for this client'}. Remove it.`,
    )
    return
  }
  if (!hasSecret) {
    report.problem(
      label,
      'is false, but the client has no secret. Add client_secret_file (keys do not count here), or remove consent.',
    )
  }
  for (const uri of redirectUris) {
    const url = urlOf(uri)
    if (url?.protocol === 'https:' && !isThisComputer(url.hostname)) continue
    report.problem(
      label,
      `is false, but any program on the person's computer can get the answer at ${quote(uri)}. Use https redirect URIs of a host alone, or remove consent.`,
    )
  }
  if (settings.client_tokens === 'provider') {
    report.problem(
      label,
      "is false, but CLIENT_TOKENS hands out the person's own token of the provider, which takes their consent. Remove one of the two.",
    )
  }
  const told = servers.filter(({ passThrough }) => passThrough?.personTokenHeader !== undefined)
  if (told.length > 0) {
    report.problem(
      label,
      `is false, but ${told.map(({ id }) => id).join(', ')} gets the person's own token of the provider (upstream_provider_token), of which the page tells them. Remove one of the two, or give the client other resources.`,
    )
  }
  report.warning(label, 'is false: people are not asked before this client gets access.')
  const chosen = servers.filter(({ toolChoices }) => toolChoices).map(({ id }) => id)
  if (chosen.length > 0 && !hasScopes) {
    report.warning(
      label,
      `is false, so nobody chooses among the tools of ${chosen.join(', ')} (tool_choices): this client gets all of them. Add scopes to the client, or remove consent.`,
    )
  }
}

const isThisComputer = (host: string) =>
  isLoopbackHost(host) || /(^|\.)localhost\.?$/.test(host) || host === '0.0.0.0' || host === '[::]'

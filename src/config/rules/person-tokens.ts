/**
 * Refuses to send the provider's token of a person to a server where nobody would renew it, or where it would stand beside
 * another credential (case sb17, decision 0072). Otherwise warns of it at each start.
 *
 * @module
 */
import { canonicalName } from '../../http/untrusted-headers.ts'
import type { ProviderConfig } from '../../providers/provider-config.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

interface Parts extends Pick<Chosen, 'settings' | 'given'> {
  readonly resources: readonly ResourceConfig[]
  readonly provider: ProviderConfig | undefined
  /** The names of all identity headers. */
  readonly identityHeaders: readonly string[]
  readonly report: Report
}

export function checkPersonTokens(parts: Parts): void {
  for (const resource of parts.resources) {
    const header = resource.passThrough?.personTokenHeader
    if (header === undefined) continue
    const written = parts.given.get('upstream_provider_token')?.written
    const label = written ?? `resources.${resource.id}.upstream_provider_token`
    const problems = [faultOfProvider(parts), ...faultsOfServer(header, resource, parts)]
    for (const problem of problems) if (problem) parts.report.problem(label, problem)
    parts.report.warning(
      label,
      `gives ${resource.id} each person's own token of the provider, with which it can act as that person wherever the token counts.`,
    )
  }
}

/** Why there would be no token, or nobody would renew it. */
function faultOfProvider({ settings, provider }: Parts): string | undefined {
  if (settings.client_tokens === 'provider') {
    return 'conflicts with CLIENT_TOKENS=provider: there, clients send the token of the provider themselves, and header_mutations with authorizationHeader passes it on. Remove one of the two.'
  }
  // It has a problem of its own.
  if (!provider) return undefined
  if (!('clientId' in provider)) {
    return `is set, but PROVIDER is ${provider.type}, which issues no tokens of its own. Remove it.`
  }
  if ('directory' in provider) {
    return 'is set, but with GOOGLE_SERVICE_ACCOUNT no token of the person is kept. Remove one of the two.'
  }
  return settings.recheck_at_refresh
    ? undefined
    : 'needs RECHECK_AT_REFRESH=true, which renews the token at each refresh of a client. Add it, and read docs/rechecks.md.'
}

function faultsOfServer(
  header: string,
  { passThrough, applicationBearer }: ResourceConfig,
  { settings, identityHeaders }: Parts,
): readonly (string | undefined)[] {
  const isHeader = (name: string) => canonicalName(name) === canonicalName(header)
  return [
    applicationBearer
      ? 'conflicts with application_bearer: there, no client has a token of Gatewarden. Remove one of the two.'
      : undefined,
    [...identityHeaders, settings.api_key_header].some(isHeader)
      ? `is ${header}, which carries something else already. Choose another header, like X-Provider-Token.`
      : undefined,
    passThrough?.authorization !== undefined && isHeader('Authorization')
      ? 'conflicts with upstream_authorization: the server would get two credentials. Choose another header, like X-Provider-Token.'
      : undefined,
    passThrough?.mutations.some((mutation) => 'name' in mutation && isHeader(mutation.name))
      ? `is ${header}, which header_mutations changes. Remove the entry there.`
      : undefined,
  ]
}

/**
 * Builds Microsoft Entra ID as a provider from the settings that belong together.
 *
 * @module
 */
import type { EntraProviderConfig } from '../../providers/provider-config.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import { keysOf, OF_PROVIDER } from '../settings/providers.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'
import { parseBaseUrl } from '../values/urls.ts'
import { checkBaseUrl } from './base-url.ts'
import { DISCOVERY_KEYS, refuseSettings } from './only-elsewhere.ts'

interface Parts extends Chosen {
  readonly id: string | undefined
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  readonly complete: boolean
  readonly resources: readonly ResourceConfig[]
  readonly report: Report
}

const ENTRA = 'https://login.microsoftonline.com'
const GRAPH = 'https://graph.microsoft.com'
/** The tenant of private Microsoft accounts. */
const PRIVATE = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** Entra, or undefined if it has a problem; problems go to the report. */
export function buildEntra(parts: Parts): EntraProviderConfig | undefined {
  const { settings, given, broken, id, clientId, clientSecret, resources, report } = parts
  refuseSettings(DISCOVERY_KEYS, parts, { issuer_url: 'ENTRA_TENANT' })
  const base = settings.entra_url ?? parseBaseUrl(ENTRA)
  const graph = settings.entra_graph_url ?? parseBaseUrl(GRAPH)
  checkBaseUrl('entra_url', base, parts)
  checkBaseUrl('entra_graph_url', graph, parts)
  const tenants = findTenants(parts)
  const verifiedDomains = settings.entra_verified_domains ?? []
  const domainsLabel = given.get('entra_verified_domains')?.written ?? 'ENTRA_VERIFIED_DOMAINS'
  if (verifiedDomains.length > 0 && tenants.length > 1) {
    report.problem(
      domainsLabel,
      'needs a single tenant: each tenant can write any address into its accounts. Remove it, and let Entra send the claim xms_edov.',
    )
  } else if (verifiedDomains.length > 0 && tenants.includes(PRIVATE)) {
    report.problem(
      domainsLabel,
      'needs the tenant of an organisation: nobody owns the addresses of private Microsoft accounts. Remove it.',
    )
  }
  if (keysOf(OF_PROVIDER.entra).some((key) => broken.has(key)) || tenants.length === 0)
    return undefined
  if (clientId === undefined || clientSecret === undefined) return undefined
  const [authority] = tenants.length === 1 ? tenants : ['organizations']
  return {
    type: 'entra',
    id: id ?? 'entra',
    issuerUrl: `${base.href}/${authority}/v2.0`,
    baseUrl: base.href,
    graphUrl: graph.href,
    tenants,
    clientId,
    clientSecret,
    ...(settings.recheck_at_refresh && { rechecks: true }),
    ...(settings.token_endpoint_auth_method && {
      tokenEndpointAuthMethod: settings.token_endpoint_auth_method,
    }),
    ...(given.has('provider_scopes') && { scopes: settings.provider_scopes }),
    verifiedDomains: verifiedDomains,
    namedGroups: [...new Set(resources.flatMap(({ allow }) => allow.groups))],
    allowInsecure: !base.secure,
  }
}

function findTenants({ settings, given, broken, complete, report }: Parts): readonly string[] {
  const tenants = settings.entra_tenant ?? []
  const label = given.get('entra_tenant')?.written ?? 'ENTRA_TENANT'
  if (tenants.length === 0 && complete && !broken.has('entra_tenant')) {
    report.problem(
      label,
      'is missing, and PROVIDER=entra needs it. Set it to the Directory (tenant) ID of your organisation.',
    )
  }
  if (tenants.length > 1 && tenants.includes(PRIVATE)) {
    report.problem(
      label,
      'lists private Microsoft accounts beside an organisation. List them alone, or remove them.',
    )
  }
  return tenants
}

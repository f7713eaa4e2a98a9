/**
 * Checks the issuers that a resource names to its clients: a token of any other one would open nothing here (case sc7).
 *
 * @module
 */
import type { ProviderConfig } from '../../providers/provider-config.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Chosen } from '../sources/precedence.ts'
import { ownAddress } from '../values/path-prefix.ts'
import type { Report } from '../values/problem.ts'

interface Parts extends Chosen {
  readonly resources: readonly ResourceConfig[]
  readonly provider: ProviderConfig | undefined
  readonly report: Report
}

/** An issuer that is not ours comes together with `accept_provider_tokens`, and is the provider's. */
export function checkAuthorizationServers({ settings, resources, provider, report }: Parts): void {
  const ours = ownAddress(settings)
  if (ours === '' || provider === undefined) return
  const ofProvider = provider.type === 'builtin' ? undefined : provider.issuerUrl
  for (const { id, authorizationServers, acceptProviderTokens } of resources) {
    if (!authorizationServers) continue
    const at = `resources.${id}.authorization_servers`
    if (authorizationServers.length === 0) {
      report.problem(at, `lists no issuer. Add ${ours}, or leave the setting out.`)
    }
    for (const issuer of authorizationServers) {
      if (issuer === ours) continue
      if (issuer !== ofProvider) {
        const others = ofProvider === undefined ? '' : ` and ${ofProvider}`
        report.problem(
          at,
          `names ${issuer}, whose tokens open nothing here. Name ${ours}${others}.`,
        )
      } else if (!acceptProviderTokens) {
        report.problem(
          at,
          `names ${issuer}, whose tokens this server refuses. Set accept_provider_tokens: true for it, and read docs/provider-tokens.md first.`,
        )
      }
    }
    if (
      authorizationServers[0] === ofProvider &&
      authorizationServers.length > 0 &&
      acceptProviderTokens
    ) {
      report.warning(
        at,
        `sends clients to ${ofProvider}: their tokens are not bound to this server and cannot be revoked here. Name ${ours} first once they can move.`,
      )
    }
  }
}

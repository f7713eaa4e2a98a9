/**
 * Checks whether this provider has tokens of its own that Gatewarden can accept.
 *
 * @module
 */
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

interface Parts extends Chosen {
  readonly file: FileContents
  readonly resources: readonly ResourceConfig[]
  readonly report: Report
}

/** Refuses provider tokens if the provider issues none. Otherwise warns of them at each start. */
export function checkProviderTokens({ settings, given, resources, report }: Parts): void {
  const accepting = resources.filter(({ acceptProviderTokens }) => acceptProviderTokens)
  const label = settings.accept_provider_tokens
    ? 'ACCEPT_PROVIDER_TOKENS'
    : `resources.${accepting[0]?.id}.accept_provider_tokens`
  if (settings.provider === 'builtin') {
    if (!settings.accept_provider_tokens && accepting.length === 0) return
    report.problem(
      label,
      'is on, but PROVIDER is builtin, which issues no tokens of its own. Remove it.',
    )
    return
  }
  const { provider } = settings
  if ((provider === 'github' || provider === 'entra') && accepting.length > 0) {
    report.problem(
      label,
      provider === 'github'
        ? 'is on, but a token of GitHub does not say which resource it is for. Turn it off.'
        : 'is on, which works with the issuer of a single tenant and PROVIDER=oidc alone. Turn it off.',
    )
    return
  }
  if (accepting.length > 0) {
    report.warning(
      label,
      `opens ${accepting.map(({ id }) => id).join(', ')} to tokens that the provider issued for other purposes.${settings.client_tokens === 'provider' ? '' : ' Turn it off once your clients have signed in here.'}`,
    )
    return
  }
  const clients = given.get('provider_token_clients')
  if (clients) {
    report.warning(clients.written, 'has no effect, because ACCEPT_PROVIDER_TOKENS is off.')
  }
}

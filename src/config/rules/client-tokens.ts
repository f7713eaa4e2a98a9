/**
 * Refuses to hand out the provider's own tokens where the check would refuse them, or could not tell whom they are for
 * (decision 0062). Otherwise warns of them at each start.
 *
 * @module
 */
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

interface Parts extends Chosen {
  readonly resources: readonly ResourceConfig[]
  readonly report: Report
}

const LABEL = 'CLIENT_TOKENS'
const REMEDY = 'Remove it: clients then get tokens of Gatewarden.'
/** Why a provider's own tokens cannot be handed to clients. */
const UNFIT: Readonly<Partial<Record<Chosen['settings']['provider'], string>>> = {
  builtin: 'PROVIDER is builtin, which issues no tokens of its own',
  github: 'a token of GitHub does not say which program it is for',
  google: "Google's tokens are for its own interfaces, and it does not renew them for us",
  entra:
    'its access tokens are for Microsoft Graph, or do not say that they are access tokens, so no server could check them',
}

/** Their issuers, for people who configure them by the standard alone. */
const ISSUERS: Readonly<Record<string, keyof typeof UNFIT>> = {
  'accounts.google.com': 'google',
  'login.microsoftonline.com': 'entra',
  'login.microsoftonline.us': 'entra',
  'login.partner.microsoftonline.cn': 'entra',
  'sts.windows.net': 'entra',
}

/** The provider, whatever `PROVIDER` calls it. */
function providerOf({ provider, issuer_url: issuer }: Chosen['settings']) {
  const host = provider === 'oidc' && issuer ? new URL(issuer.href).hostname : ''
  return ISSUERS[host] ?? provider
}

export function checkClientTokens({ settings, resources, report }: Parts): void {
  if (settings.client_tokens !== 'provider') return
  const unfit = UNFIT[providerOf(settings)]
  if (unfit !== undefined) {
    report.problem(LABEL, `is provider, but ${unfit}. ${REMEDY}`)
    return
  }
  if (settings.recheck_at_refresh) {
    report.problem(
      LABEL,
      "is provider, and RECHECK_AT_REFRESH is on: the provider's refresh token works for one of the two. Remove RECHECK_AT_REFRESH: with CLIENT_TOKENS=provider each refresh asks the provider.",
    )
  }
  // Where an application has bearer tokens of its own, no client gets in by one, whoever issued it.
  const closed = resources.filter((one) => !one.acceptProviderTokens && !one.applicationBearer)
  if (closed.length > 0) {
    report.problem(
      LABEL,
      `is provider, but ${closed.map(({ id }) => id).join(', ')} would refuse the tokens. Set ACCEPT_PROVIDER_TOKENS=true, and read docs/provider-tokens.md first.`,
    )
    return
  }
  const limited = resources.filter((one) => one.toolChoices)
  if (limited.length > 0) {
    report.problem(
      LABEL,
      `is provider, but the tokens of the provider do not say which tools a person chose, which ${limited.map(({ id }) => id).join(', ')} asks for. Remove tool_choices there, or CLIENT_TOKENS.`,
    )
    return
  }
  report.warning(
    LABEL,
    "hands each client the person's own token of the provider, which opens everything that accepts it.",
  )
}

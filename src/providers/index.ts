/** The identity providers, one line each. */

import type { Keyring } from '../crypto.ts'
import { createBuiltinProvider } from './builtin.ts'
import { createEntraProvider } from './entra.ts'
import { createGithubProvider } from './github.ts'
import { createGoogleProvider } from './google.ts'
import { createKeycloakProvider } from './keycloak.ts'
import { createOddities, type ReportOddity } from './oddities.ts'
import { createOidcProvider } from './oidc.ts'
import { PRESETS } from './presets.ts'
import type { Provider } from './provider.ts'
import type { ProviderConfig, UserConfig } from './provider-config.ts'
import { createProviderFetch, type Reach } from './provider-fetch.ts'

export interface ProviderDeps {
  readonly users: readonly UserConfig[]
  /** Our redirect URI, as registered at the provider. */
  readonly redirectUri: string
  readonly keyring: Keyring
  /** The way to the provider. */
  readonly reach: Reach
  /** Gets what is off in an answer of the provider and does not matter. */
  readonly tolerated: ReportOddity
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds on a clock that is never set back, for spans. */
  readonly elapsed: () => number
}

/** The configured provider. */
export function createProvider(config: ProviderConfig, given: ProviderDeps): Provider {
  if (config.type === 'builtin') return createBuiltinProvider(given)
  const tolerated = createOddities({ report: given.tolerated, now: given.now })
  const deps = { ...given, tolerated, outbound: createProviderFetch(given.reach) }
  switch (config.type) {
    case 'keycloak':
      return createKeycloakProvider({ ...deps, ...config })
    case 'google':
      return createGoogleProvider({ ...deps, ...config })
    case 'entra':
      return createEntraProvider({ ...deps, ...config })
    case 'github':
      return createGithubProvider({ ...deps, ...config })
    case 'oidc':
      return createOidcProvider({
        ...deps,
        ...config,
        name: new URL(config.issuerUrl).host,
        offlineNeedsConsent: true,
      })
    default: {
      const { name, groupsAreKeys } = PRESETS[config.type]
      return createOidcProvider({ ...deps, ...config, name, groupsAreKeys })
    }
  }
}

/** The identity providers, one line each. */
import type { Config } from '../config/config.ts'
import { createBuiltinProvider } from './builtin.ts'
import type { Provider } from './provider.ts'

const PROVIDERS: Readonly<Record<Config['provider'], (config: Config) => Provider>> = {
  builtin: (config) => createBuiltinProvider(config.users),
}

/** The configured provider. */
export function createProvider(config: Config): Provider {
  return PROVIDERS[config.provider](config)
}

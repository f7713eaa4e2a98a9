/**
 * The questions to the provider about a person at each refresh.
 *
 * @module
 */
import type { Provider } from '../providers/provider.ts'

/** A password provider is asked nothing: the configuration says at each check who its people are. */
export const rechecksOf = (provider: Provider) =>
  provider.kind === 'redirect' ? provider.rechecks : undefined

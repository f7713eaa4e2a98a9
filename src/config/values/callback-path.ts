/**
 * `CALLBACK_PATH`: the path of the redirect URI that is registered at the provider.
 *
 * @module
 */
import { CALLBACK_PATH, OWN_ROUTES } from '../../paths.ts'
import { InvalidValue, quote } from './problem.ts'

/** @throws InvalidValue for a path that is not plain, or that has another meaning on the gateway */
export function parseCallbackPath(value: string): string {
  if (!/^(?:\/[\w.~-]+)+$/.test(value) || /\/\.{1,2}(?:\/|$)/.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not a plain path. Write the path of the redirect URI alone, such as /oauth/callback.`,
    )
  }
  const isTaken = OWN_ROUTES.some((route) =>
    route.endsWith('/') ? `${value}/`.startsWith(route) : value === route,
  )
  if (isTaken && value !== CALLBACK_PATH) {
    throw new InvalidValue(
      `${value} has another meaning here. Register another path at the provider, such as /oauth/callback.`,
    )
  }
  return value
}

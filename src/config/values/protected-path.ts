/**
 * The address of the check that users of mcpauth have in their proxy files.
 *
 * @module
 */
import { OWN_ROUTES } from '../../paths.ts'
import { InvalidValue, quote } from './problem.ts'

/** The address of the check in mcpauth's later versions, and ours. */
const AUTH_PATH = '/auth'

export const DEFAULT_PROTECTED_PATH = '/sse'

/** @throws InvalidValue for a path that is not plain, or that has another meaning on the gateway */
export function parseProtectedPath(value: string): string {
  if (!/^(?:\/[\w.~-]+)+$/.test(value) || /\/\.{1,2}(?:\/|$)/.test(value)) {
    throw new InvalidValue(`${quote(value)} is not a plain path. Write one such as /sse.`)
  }
  const isOurs = OWN_ROUTES.some(
    (route) =>
      `${value}/` === route || value === route || value.startsWith(`${route.replace(/\/$/, '')}/`),
  )
  // These two are the check, and nothing else.
  if (isOurs && value !== DEFAULT_PROTECTED_PATH && value !== AUTH_PATH) {
    throw new InvalidValue(`${value} has another meaning here. Write another path, such as /sse.`)
  }
  return value
}

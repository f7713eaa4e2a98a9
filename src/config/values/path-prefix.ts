/**
 * `PATH_PREFIX`: the beginning of our own paths on our own host (decision 0057).
 *
 * @module
 */
import { OWN_PATHS, OWN_ROUTES } from '../../paths.ts'
import { InvalidValue, quote } from './problem.ts'
import type { PublicUrl } from './urls.ts'

const EXAMPLE = '/auth-gw'

/**
 * Paths that proxies, probes and the documents need at the root; a prefix there would have two meanings. Protected hosts
 * have our paths below `/.gatewarden/`, but our own host does not need them.
 */
const TAKEN = new Set(
  OWN_ROUTES.filter((route) => route !== OWN_PATHS).map((route) => route.split('/')[1]),
)

/** @throws InvalidValue unless the value is a plain absolute path whose first part is none of ours */
export function parsePathPrefix(value: string): string {
  if (!value.startsWith('/')) {
    throw new InvalidValue(`${quote(value)} is not an absolute path. Write it like ${EXAMPLE}.`)
  }
  if (value.endsWith('/')) {
    throw new InvalidValue(
      value === '/'
        ? '/ is no prefix. Leave the setting out to have the paths at the root.'
        : `${quote(value)} ends in a slash. Write ${value.replace(/\/+$/, '') || EXAMPLE}.`,
    )
  }
  if (!/^(?:\/[\w.~-]+)+$/.test(value) || /\/\.{1,2}(?:\/|$)/.test(value)) {
    throw new InvalidValue(
      `${quote(value)} can be read in more than one way. Use letters, digits and hyphens, as in ${EXAMPLE}.`,
    )
  }
  if (TAKEN.has(value.split('/')[1])) {
    throw new InvalidValue(
      `${value} has another meaning here. Write another path, such as ${EXAMPLE}.`,
    )
  }
  return value
}

/** The address that the gateway's own addresses begin with; empty while `PUBLIC_URL` is missing. */
export const ownAddress = (settings: {
  readonly public_url?: PublicUrl | undefined
  readonly path_prefix?: string | undefined
}): string =>
  settings.public_url === undefined ? '' : settings.public_url.origin + (settings.path_prefix ?? '')

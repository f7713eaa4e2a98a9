/**
 * The header names that a browser asks for in a preflight. No list of ours could have them all: clients send headers of
 * tracing, of tenants and of their own. Pure.
 *
 * @module
 */

const MAX_NAMES = 100
const MAX_NAME_LENGTH = 128
/** RFC 9110 section 5.6.2. */
const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/

/** `Vary` of an answer that repeats what a preflight asked for. */
export const PREFLIGHT_VARY =
  'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

/**
 * @param known names that are allowed whether the browser asks for them or not
 * @param requested the value of `Access-Control-Request-Headers`
 * @returns the value of `Access-Control-Allow-Headers`
 */
export function allowedHeaders(known: readonly string[], requested: string | undefined): string {
  const lower = new Set(known.map((name) => name.toLowerCase()))
  const asked = (requested ?? '')
    .split(',', MAX_NAMES)
    .map((name) => name.trim())
    .filter((name) => name.length <= MAX_NAME_LENGTH && NAME.test(name))
    .filter((name) => !lower.has(name.toLowerCase()))
  return [...known, ...new Set(asked)].join(', ')
}

/** The methods, and the one that the browser asks for. */
export function allowedMethods(known: readonly string[], requested: string | undefined): string {
  const isNew =
    requested !== undefined &&
    requested.length <= MAX_NAME_LENGTH &&
    NAME.test(requested) &&
    !known.includes(requested)
  return [...known, ...(isNew ? [requested] : [])].join(', ')
}

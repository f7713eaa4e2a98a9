/**
 * The paths of a resource that need no token (setting `public`). A path is open only in the one spelling that every
 * server reads alike; in any other spelling it needs a token like the rest of the resource (threat T25).
 *
 * @module
 */
import { isPlain } from '../url/path.ts'

/** True for a path without query, as `url/path.ts` reads it. */
export type IsOpen = (canonical: string) => boolean

const BELOW = '/*'
const CLOSED: IsOpen = () => false

/** @param entries exact paths, and `/path/*` for everything below a path */
export function compileOpenPaths(entries: readonly string[] = []): IsOpen {
  if (entries.length === 0) return CLOSED
  const exact = new Set(entries.filter((entry) => !entry.endsWith(BELOW)))
  const below = entries.filter((entry) => entry.endsWith(BELOW)).map((entry) => entry.slice(0, -1))
  return (canonical) =>
    (exact.has(canonical) || below.some((start) => canonical.startsWith(start))) &&
    isPlain(canonical, Number.POSITIVE_INFINITY) &&
    !canonical.includes('//')
}

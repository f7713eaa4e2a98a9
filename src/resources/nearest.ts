/**
 * Finds the configured address that somebody most likely meant with one that is unknown, for people who read the log.
 *
 * @module
 */
import { withoutQuery } from '../url/path.ts'

/** Every path segment that is the same counts one. */
const SAME_HOST = 4
/** The number of segments that count, so that the host decides first. */
const MAX_SEGMENTS = 3

/**
 * @param host the host as asked, with its port
 * @param target the request target as asked
 * @returns of several that are equally near, the first; undefined if there are none
 */
export function nearestUrl(
  { host, target }: { readonly host: string; readonly target: string },
  urls: readonly string[],
): string | undefined {
  const name = host.toLowerCase().replace(/:\d*$/, '')
  const path = segmentsOf(withoutQuery(target))
  let best: { url: string; score: number } | undefined
  for (const url of urls) {
    const { hostname, pathname } = new URL(url)
    const score = (hostname === name ? SAME_HOST : 0) + sameSegments(segmentsOf(pathname), path)
    if (best === undefined || score > best.score) best = { url, score }
  }
  return best?.url
}

const segmentsOf = (path: string) => path.split('/', MAX_SEGMENTS + 1).slice(1)

function sameSegments(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((segment, index) => segment === '' || segment !== b[index])
  return differs === -1 ? a.length : differs
}

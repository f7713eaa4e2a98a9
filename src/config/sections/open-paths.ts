/**
 * Checks the `public` paths of a resource: each lies inside it, and none opens all of it.
 *
 * @module
 */
import type { Report } from '../values/problem.ts'

const covers = (prefix: string, path: string) => path === prefix || path.startsWith(`${prefix}/`)

/** @param resource `url`: canonical, without a final slash; `also`: further absolute paths */
export function checkOpenPaths(
  open: readonly string[],
  { url, also, at, report }: { url: string; also: readonly string[]; at: string; report: Report },
): void {
  const { pathname } = new URL(url)
  const own = pathname === '/' ? '' : pathname
  for (const entry of open) {
    // Many servers answer at their own URL with a final slash.
    const path = entry.replace(/\/\*?$/, '')
    if (![own, ...also].some((prefix) => covers(prefix, path))) {
      report.problem(
        `${at}.public`,
        `${entry} is outside the resource. Write paths of its host that begin with ${own || '/'}.`,
      )
    } else if (path === own && (own !== '' || entry === '/*')) {
      report.problem(
        `${at}.public`,
        `${entry} opens the server itself, so nobody would need a token. List single paths of it.`,
      )
    }
  }
}

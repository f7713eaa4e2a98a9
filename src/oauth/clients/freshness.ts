/**
 * How long a fetched document may serve without another fetch (RFC 9111 section 4.2, for a cache that many share).
 *
 * @module
 */
import type { CacheHeaders } from '../../outbound/document-fetch.ts'

/** Seconds. The draft of metadata documents lets a server have bounds of its own (section 5.2). */
export interface FreshnessBounds {
  readonly min: number
  readonly max: number
  /** If the answer says nothing. */
  readonly unsaid: number
}

/** Seconds for which the document is fresh. An answer that must not be kept is kept for the least time. */
export function freshnessOf(headers: CacheHeaders, { min, max, unsaid }: FreshnessBounds): number {
  return Math.min(max, Math.max(min, statedFreshness(headers) ?? unsaid))
}

function statedFreshness(headers: CacheHeaders): number | undefined {
  const directives = directivesOf(headers['cache-control'] ?? '')
  for (const name of ['no-store', 'no-cache', 'private']) if (directives.has(name)) return 0
  const maxAge = directives.get('s-maxage') ?? directives.get('max-age')
  if (maxAge !== undefined) {
    return /^\d+$/.test(maxAge) ? Number(maxAge) - secondsOf(headers.age) : 0
  }
  if (headers.expires === undefined) return undefined
  const [expires, date] = [Date.parse(headers.expires), Date.parse(headers.date ?? '')]
  // Section 5.3: a date that cannot be read is in the past.
  return Number.isNaN(expires) || Number.isNaN(date) ? 0 : (expires - date) / 1000
}

/** The directives with their arguments; a repeated one counts as it came first. */
function directivesOf(header: string): ReadonlyMap<string, string> {
  const directives = new Map<string, string>()
  for (const part of header.split(',')) {
    const [name = '', argument = ''] = part.split('=', 2)
    const key = name.trim().toLowerCase()
    if (!directives.has(key)) directives.set(key, argument.trim().replace(/^"(.*)"$/, '$1'))
  }
  return directives
}

const secondsOf = (age = '0') => (/^\d+$/.test(age) ? Number(age) : 0)

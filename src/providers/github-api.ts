/**
 * GitHub's REST API, read with the token of one sign-in. The token goes to the origin of the API and nowhere else.
 *
 * @module
 */
import { parseJson, type ReportOddity } from './oddities.ts'
import { printable } from './oidc-failure.ts'
import { ProviderFailure } from './provider.ts'
import { PROVIDER_TIMEOUT, type ProviderFetch } from './provider-fetch.ts'

/** The largest that GitHub has. */
const PAGE_SIZE = 100
const MAX_PAGES = 10
/** Milliseconds for the pages of a list together: a person waits for them. */
const MAX_LIST_MS = 10_000
const VERSION = '2022-11-28'

/** A list that GitHub refuses to show, in words for the log. */
export interface Hidden {
  readonly hidden: string
}

export interface GithubApi {
  /** The JSON at a path. Rejects with ProviderFailure. */
  read(path: string): Promise<unknown>
  /** Every entry of a list, over all its pages; rejects with ProviderFailure `too-many-groups` if they do not end. */
  list(path: string): Promise<readonly unknown[] | Hidden>
}

interface ApiOptions {
  /** Without a slash at its end. */
  readonly apiUrl: string
  readonly token: string
  readonly tolerated: ReportOddity
  readonly outbound: ProviderFetch
  /** Milliseconds on a clock that is never set back. */
  readonly elapsed: () => number
}

export function createGithubApi({
  apiUrl,
  token,
  tolerated,
  outbound,
  elapsed,
}: ApiOptions): GithubApi {
  const ask = (address: string) =>
    outbound.send(address, {
      method: 'GET',
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'user-agent': 'gatewarden',
        'x-github-api-version': VERSION,
      },
      signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000),
    })

  async function load(address: string): Promise<{ body: unknown; next?: string } | Hidden> {
    const response = await ask(address)
    const asked = pathOf(address)
    const text = await response.text()
    if (isRateLimited(response, text)) {
      throw new ProviderFailure('unavailable', `GitHub's rate limit is used up (${asked})`)
    }
    if (response.status === 403 && /account was suspended/i.test(text)) {
      throw new ProviderFailure('gone', 'GitHub says that the account is suspended')
    }
    if (response.status === 403 || response.status === 404) {
      return { hidden: `GitHub does not show ${asked} (${response.status})${scopesOf(response)}` }
    }
    if (response.status === 401) {
      throw new ProviderFailure('gone', `GitHub answered 401 to ${asked}: the token has ended`)
    }
    if (response.status !== 200) {
      throw new ProviderFailure('failed', `GitHub answered ${response.status} to ${asked}`)
    }
    const body = parseJson(text)
    if (body === undefined) throw new ProviderFailure('failed', `${asked} is not JSON`)
    reportHiddenOrganisations(response, tolerated)
    return { body, ...nextPage(response, address) }
  }

  return {
    async read(path) {
      const found = await load(apiUrl + path)
      if ('hidden' in found) throw new ProviderFailure('failed', found.hidden)
      return found.body
    },

    async list(path) {
      const began = elapsed()
      const entries: unknown[] = []
      let address: string | undefined = `${apiUrl}${path}?per_page=${PAGE_SIZE}`
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const found: Awaited<ReturnType<typeof load>> = await load(address)
        if ('hidden' in found) return found
        if (!Array.isArray(found.body)) {
          throw new ProviderFailure('failed', `${pathOf(address)} is not a list`)
        }
        entries.push(...found.body)
        if (found.next === undefined) return entries
        if (elapsed() - began > MAX_LIST_MS) {
          throw new ProviderFailure('unavailable', `GitHub took too long over ${path}`)
        }
        address = found.next
      }
      throw new ProviderFailure(
        'too-many-groups',
        `${path} has more than ${MAX_PAGES * PAGE_SIZE} entries`,
      )
    },
  }
}

const pathOf = (address: string) => new URL(address).pathname

/** GitHub answers 403 both for a missing permission and for too many requests; 429 is an outage already. */
const isRateLimited = ({ status, headers }: Response, text: string) =>
  status === 403 &&
  (headers.get('x-ratelimit-remaining') === '0' ||
    headers.has('retry-after') ||
    /rate limit/i.test(text))

/** The scopes that the token has and those that the answer needs, as GitHub states them. */
function scopesOf({ headers }: Response): string {
  const has = headers.get('x-oauth-scopes')
  if (has === null) return ''
  const needs = headers.get('x-accepted-oauth-scopes')
  const needed = needs ? `, and needs one of: ${printable(needs)}` : ''
  return `: the token has the scopes: ${printable(has) || 'none'}${needed}`
}

/** An organisation with SAML single sign-on is left out of lists until the person has signed in there. */
function reportHiddenOrganisations({ headers }: Response, tolerated: ReportOddity): void {
  const stated = headers.get('x-github-sso') ?? ''
  if (!stated.startsWith('partial-results')) return
  const ids = /organizations=([\d,\s]+)/.exec(stated)?.[1]?.match(/\d+/g) ?? []
  tolerated(
    `GitHub hides ${ids.length} organisations of the person until they sign in there (SAML): they count as no group`,
  )
}

/**
 * The next page (RFC 8288). Its path may differ from that of the first one, its origin may not.
 * @throws ProviderFailure for another origin, which would get the token
 */
function nextPage({ headers }: Response, address: string): { next?: string } {
  const links = headers.get('link') ?? ''
  const [, target] = /<([^<>]*)>[^<]*;\s*rel="?next"?(?:[;,\s]|$)/i.exec(links) ?? []
  if (target === undefined) return {}
  const next = URL.canParse(target, address) ? new URL(target, address) : undefined
  if (next?.origin === new URL(address).origin) return { next: next.href }
  throw new ProviderFailure('failed', `the next page of ${pathOf(address)} is at another origin`)
}

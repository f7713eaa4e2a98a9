/**
 * Turns the path of a request into the form that is matched, or refuses it. Proxies and applications disagree about
 * encoded separators and dot segments, so a decision on such a path may be about another path than the application
 * serves (CVE-2025-66490, GHSA-pxq7-h93f-9jrg). This folder owns the one reading of hosts, paths and parameters; it is
 * pure, and knows neither resources nor policies.
 *
 * @module
 */

const PLAIN = /^[A-Za-z0-9\-._~/]*$/
const DOT_OR_EMPTY_SEGMENT = /\/(?:\.{1,2})?(?=\/)|\/\.{1,2}$/
const UNRESERVED = /[A-Za-z0-9\-._~]/

/** The part of a request target before its query. */
export function withoutQuery(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

/**
 * Decodes percent-encoded unreserved characters once (RFC 3986 section 6.2.2.2; nginx routes `/%61dmin` to `/admin` but
 * tells us the raw path) and writes other escapes in upper case.
 * @param path an absolute path without query
 * @returns undefined if the path is ambiguous: not absolute; with an encoded `/`, `\`, `%`, `;`, `?`, `#` or control
 *   character; with `\`, `;`, `#`, raw control or non-ASCII characters; with a dot segment or an empty one (a final `/`
 *   is none); or with a malformed escape (decision K18)
 */
export function canonicalPath(path: string): string | undefined {
  if (path.charCodeAt(0) !== 0x2f) return undefined
  let canonical = path
  if (!PLAIN.test(path)) {
    if (/[^\x21-\x7e]|[\\;#?]/.test(path)) return undefined
    if (/%(?![0-9A-Fa-f]{2})/.test(path)) return undefined
    if (/%(?:2f|5c|25|3b|3f|23|7f|[01][0-9a-f])/i.test(path)) return undefined
    canonical = path.replace(/%[0-9A-Fa-f]{2}/g, (encoded) => {
      const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
      return UNRESERVED.test(character) ? character : encoded.toUpperCase()
    })
  }
  return DOT_OR_EMPTY_SEGMENT.test(canonical) ? undefined : canonical
}

/** Maximum length of a path with escapes beyond ASCII: the normalization of accents takes quadratic time. */
const MAX_NON_ASCII_LENGTH = 4096

/**
 * A canonical path as the most forgiving server reads it: every escape decoded; case, Unicode forms of a character, and
 * dots and spaces at the end of a segment ignored. An escape of an escape never gets here: `%25` makes a path
 * ambiguous. If a path lies below another, it still does when both are read like this.
 * @returns undefined if the path can be read in still more ways: some servers take a wide slash or dot for a plain one
 */
export function looselyRead(path: string): string | undefined {
  const decoded = path.includes('%') ? decodeAll(path) : path
  // Matches from the start of a run only: from each character of it, one long path would take minutes.
  return decoded?.toLowerCase().replace(/(?<![. ])[. ]+(?=\/|$)/g, '')
}

function decodeAll(path: string): string | undefined {
  if (path.length > MAX_NON_ASCII_LENGTH && /%[89A-F]/.test(path)) return undefined
  const decoded = path.replace(/(?:%[0-9A-F]{2})+/g, decodeBytes).normalize('NFKC')
  const isAmbiguous =
    /[\\%;?#]/.test(decoded) ||
    DOT_OR_EMPTY_SEGMENT.test(decoded) ||
    decoded.split('/').length !== path.split('/').length
  return isAmbiguous ? undefined : decoded
}

/** Bytes that are not UTF-8 become U+FFFD, as in servers that do not refuse them. */
const decodeBytes = (escapes: string) =>
  Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8')

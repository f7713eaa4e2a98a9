/**
 * Turns the path of a request into the one form that is matched, or refuses it. Proxies and applications
 * disagree about encoded separators and dot segments; whoever decides on such a path decides on a different
 * one than the application serves (CVE-2025-66490, GHSA-pxq7-h93f-9jrg).
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
 * Decodes percent-encoded unreserved characters once (RFC 3986 section 6.2.2.2; nginx routes `/%61dmin` to
 * `/admin` but tells us the raw path) and writes other escapes in upper case.
 * @param path an absolute path without query
 * @returns undefined if the path is ambiguous: not absolute; with an encoded `/`, `\`, `%`, `;`, `?`, `#` or control
 *   character; with `\`, `;`, `#`, raw control or non-ASCII characters; with a dot segment or an empty one (a
 *   final `/` is none); or with an escape that is no escape (decision K18)
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

/** Characters of a path that escapes some beyond ASCII; a longer one is not read: putting accents in order is quadratic. */
const MAX_ACCENTED = 4096

/**
 * A canonical path as the most forgiving server reads it: every escape decoded, without regard to case, to how Unicode
 * spells a character, and to dots and spaces that end a segment. An escape of an escape never gets here: `%25` makes a
 * path ambiguous. What lies below a path still does when both are read like this.
 * @returns undefined if it can be read in still more ways: a wide slash or dot is one to some servers
 */
export function looselyRead(path: string): string | undefined {
  const decoded = path.includes('%') ? decodeAll(path) : path
  // Tried from the start of a run only: from each character of it, one long path would take minutes.
  return decoded?.toLowerCase().replace(/(?<![. ])[. ]+(?=\/|$)/g, '')
}

function decodeAll(path: string): string | undefined {
  if (path.length > MAX_ACCENTED && /%[89A-F]/.test(path)) return undefined
  const decoded = path.replace(/(?:%[0-9A-F]{2})+/g, decodeBytes).normalize('NFKC')
  const isAmbiguous =
    /[\\%;?#]/.test(decoded) ||
    DOT_OR_EMPTY_SEGMENT.test(decoded) ||
    decoded.split('/').length !== path.split('/').length
  return isAmbiguous ? undefined : decoded
}

/** Bytes that are no UTF-8 become U+FFFD, as in servers that do not refuse them. */
const decodeBytes = (escapes: string) =>
  Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8')

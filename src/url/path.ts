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
const DOT_SEGMENT = /\/\.{1,2}(?=\/|$)/
const ODD = /\/\/|;|%(?:2F|5C|25|3B|3F|23)/
const UNRESERVED = /[A-Za-z0-9\-._~]/

/** The part of a request target before its query. */
export function withoutQuery(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

/** A path as it is matched. */
export interface ReadPath {
  /** Escapes of unreserved characters decoded once, other escapes in upper case. */
  readonly canonical: string
  /**
   * True if a server may find other segments in it: it has an encoded `/`, `\`, `%`, `;`, `?` or `#`, a `;` or an empty
   * segment (a final `/` is none).
   */
  readonly isOdd: boolean
}

/**
 * Decodes percent-encoded unreserved characters once (RFC 3986 section 6.2.2.2; nginx routes `/%61dmin` to `/admin` but
 * tells us the raw path) and writes other escapes in upper case.
 * @param path an absolute path without query
 * @returns undefined if no server may get the path: not absolute; with `\`, `#`, raw or encoded control characters, raw
 *   non-ASCII characters, a dot segment or a malformed escape (decision K18)
 */
export function readPath(path: string): ReadPath | undefined {
  if (path.charCodeAt(0) !== 0x2f) return undefined
  let canonical = path
  if (!PLAIN.test(path)) {
    if (/[^\x21-\x7e]|[\\#?]/.test(path)) return undefined
    if (/%(?![0-9A-Fa-f]{2})/.test(path)) return undefined
    if (/%(?:7f|[01][0-9a-f])/i.test(path)) return undefined
    canonical = path.replace(/%[0-9A-Fa-f]{2}/g, (encoded) => {
      const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
      return UNRESERVED.test(character) ? character : encoded.toUpperCase()
    })
  }
  if (DOT_SEGMENT.test(canonical)) return undefined
  return { canonical, isOdd: ODD.test(canonical) }
}

/**
 * The path that {@link readPath} reads.
 * @returns undefined if it is odd, too
 */
export function canonicalPath(path: string): string | undefined {
  const read = readPath(path)
  return read?.isOdd === false ? read.canonical : undefined
}

/** A server decodes as often as this at most; a path with more layers of escapes is refused. */
const MAX_LAYERS = 4
/** UTF-8 that is longer than necessary, by which old servers read a dot or a slash (RFC 3629 section 10). */
const OVERLONG = /%(?:C[01]%[89AB]|E0%[89]|F0%8)/i

/**
 * True if a server may take the path for one above it: after it has decoded escapes (several times), dropped the part
 * of a segment after `;` or its invisible characters, or taken a wide dot or slash for a plain one.
 * @param canonical a path that {@link readPath} returned
 */
export function mayClimb(canonical: string): boolean {
  let text = canonical
  for (let layer = 0; layer <= MAX_LAYERS; layer += 1) {
    if (hasWayUp(text) || OVERLONG.test(text) || (layer > 0 && UNSAFE.test(text))) return true
    const decoded = text.replace(/(?:%[0-9A-Fa-f]{2})+/g, decodeBytes).replace(BEYOND_ASCII, wide)
    if (decoded === text) return false
    text = decoded
  }
  return true
}

const BEYOND_ASCII = /[^\0-\x7f]/gu
const wide = (character: string) => character.normalize('NFKC')
/** After decoding: control characters, which end a text in C, and the escapes of old Windows servers. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const UNSAFE = /[\0-\x1f\x7f]|%u[0-9A-Fa-f]{4}/

function hasWayUp(text: string): boolean {
  if (!text.includes('.')) return false
  return text
    .replace(/[\s\p{Default_Ignorable_Code_Point}]/gu, '')
    .split(/[/\\;?#]/)
    .some((segment) => segment === '.' || segment === '..')
}

/** A segment that every server reads alike; no short name of Windows (`ADMIN~1`). */
const PLAIN_SEGMENT = /^(?!.*~\d)[A-Za-z0-9._~-]*[A-Za-z0-9_~-]$/

/**
 * True if the first segments of a path are plain. A final slash is no segment.
 * @param path empty, or begins with `/`
 */
export function isPlain(path: string, segments: number): boolean {
  const all = path.split('/').slice(1)
  if (all.at(-1) === '') all.pop()
  return all.slice(0, segments).every((segment) => PLAIN_SEGMENT.test(segment))
}

/** The number of segments of a path without a final slash. */
export const depthOf = (path: string): number => path.split('/').length - 1

/** The first segments of a path, and the rest. */
export function splitAfter(path: string, segments: number): [first: string, rest: string] {
  let end = 0
  for (let left = segments; left > 0; left -= 1) {
    end = path.indexOf('/', end + 1)
    if (end === -1) return [path, '']
  }
  return [path.slice(0, end), path.slice(end)]
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

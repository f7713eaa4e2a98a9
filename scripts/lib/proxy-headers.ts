/**
 * Writes the list of `src/http/untrusted-headers.ts` into the files for other proxies: into nginx's between two marker
 * comments, elsewhere into the setting of that name.
 *
 * @module
 */
import { IDENTITY_HEADERS } from '../../src/check/identity-headers.ts'
import {
  UNTRUSTED_FAMILIES,
  UNTRUSTED_HEADERS,
  UNTRUSTED_NAMES,
  WRITTEN_BY_PROXIES,
} from '../../src/http/untrusted-headers.ts'

/** The files that have the list, in one of its forms. */
export const FILES_WITH_HEADERS: readonly string[] = [
  'deploy/ingress-nginx/mcp-server.yaml',
  'deploy/ingress-nginx/web-application.yaml',
  'deploy/nginx/gatewarden/protect.conf',
  'docs/edge-auth.md',
  'docs/migrate/atrawog-mcp-oauth-gateway.md',
  'docs/migrate/mcpauth.md',
  'docs/proxies/pangolin.md',
  'docs/proxies/traefik.md',
  'docs/quickstart.md',
  'traefik/dynamic.yml',
  'traefik/older/dynamic.yml',
]

/** Go's spelling of the default of `API_KEY_HEADER`. */
const API_KEY = 'X-Api-Key'
const COPIED = ['Authorization', 'Cookie', API_KEY, ...Object.keys(IDENTITY_HEADERS)]

/** Names that a proxy has to remove by name: it sets the others itself, or copies them from our answer. */
export const REMOVED_BY_NAME: readonly string[] = UNTRUSTED_HEADERS.filter(
  (name) => !WRITTEN_BY_PROXIES.includes(name) && !COPIED.includes(name),
)

/** nginx's file copies our assertion too, which is empty unless `ASSERTION_HEADER` is this name. */
const COPIED_BY_NGINX = 'Cf-Access-Jwt-Assertion'

/** Any character that a server may read as `-` (`canonicalName`), in a pattern that ignores case. */
const ANY_SEPARATOR = '[^a-z0-9]'
const OTHER_SEPARATOR = '[^a-z0-9-]'

/** The check judged the one spelling of the standard (threat T27). Traefik passes that one on. */
const ONE_SPELLING = ['Mcp-Session-Id']

const inAnySpelling = (name: string) => name.replaceAll('-', ANY_SEPARATOR)

/** Patterns for every spelling of a name but the one with hyphens. Go's patterns cannot look ahead. */
function otherSpellings(name: string): readonly string[] {
  const words = name.split('-')
  return words.slice(1).map((_word, index) => {
    const before = words.slice(0, index + 1).join('-')
    const after = words.slice(index + 1).join(ANY_SEPARATOR)
    return before + OTHER_SEPARATOR + after
  })
}

const isWritten = (name: string) => WRITTEN_BY_PROXIES.includes(name)
const WRITTEN_NAMES = UNTRUSTED_NAMES.filter(isWritten)

/**
 * Traefik removes every header that this matches, in every spelling that a server may read alike, then copies those that
 * our answer has: none but the identity.
 */
export const TRAEFIK_PATTERN = `(?i)^(${[
  `(${[
    ...UNTRUSTED_NAMES.filter((name) => !isWritten(name)).map(inAnySpelling),
    ...[...WRITTEN_NAMES, ...ONE_SPELLING].flatMap(otherSpellings),
  ].join('|')})$`,
  ...UNTRUSTED_FAMILIES.flatMap((family) => {
    const rest = allBut(family)
    return rest === '' ? inAnySpelling(family) : [family + rest, ...otherSpellings(family)]
  }),
].join('|')})`

/** The rest of a name of this family, none of those that Traefik has written itself. */
function allBut(family: string): string {
  const kept = WRITTEN_BY_PROXIES.filter((name) => name.startsWith(family))
  return kept.length === 0 ? '' : anythingBut(kept.map((name) => name.slice(family.length)))
}

/** A pattern for every text but these. */
function anythingBut(texts: readonly string[]): string {
  const first = [...new Set(texts.map((text) => text.charAt(0)))].filter((letter) => letter !== '')
  if (first.length === 0) return '.'
  const below = first.map((letter) => {
    const rests = texts.filter((text) => text.startsWith(letter)).map((text) => text.slice(1))
    return letter + anythingBut(rests)
  })
  const end = texts.includes('') ? [] : ['$']
  return `(${[...end, `[^${first.join('')}]`, ...below].join('|')})`
}

/** The longest line of a folded list. */
const COLUMNS = 100

/** The pattern in a YAML text between double quotes, over several lines: a backslash at the end of a line joins it. */
function foldedPattern(indent: string): string {
  const lines = ['']
  for (const part of TRAEFIK_PATTERN.split(/(?<=\|)/)) {
    const last = lines.at(-1) ?? ''
    // The first line has a key before it, every line a backslash after it.
    if (indent.length + last.length + part.length + 1 > COLUMNS || lines.length === 1)
      lines.push(part)
    else lines[lines.length - 1] = last + part
  }
  return lines.join(`\\\n${indent}`)
}

/** Replaces each list in a text by the present one. */
export function withHeaderLists(text: string): string {
  return text
    .replace(
      /(# begin untrusted-headers\n)[\s\S]*?(# end untrusted-headers\n)/g,
      (_all, begin: string, end: string) =>
        begin +
        REMOVED_BY_NAME.filter((name) => name !== COPIED_BY_NGINX)
          .map((name) => `proxy_set_header ${name} "";\n`)
          .join('') +
        end,
    )
    .replace(
      /(\/auth-response-headers: ).*/g,
      (_all, key: string) => key + [...COPIED, ...REMOVED_BY_NAME].join(','),
    )
    .replace(
      /(authResponseHeadersRegex: (?:&untrusted )?)'.*'/g,
      (_all, key: string) => `${key}'${TRAEFIK_PATTERN}'`,
    )
    .replace(
      /^( *)(authResponseHeadersRegex: (?:&untrusted )?)"[^"]*"/gm,
      (_all, indent: string, key: string) => `${indent}${key}"${foldedPattern(`${indent}  `)}"`,
    )
    .replace(
      /(authResponseHeadersRegex=)(?:\(\?i\))?\^.*/g,
      // Compose writes `$` as `$$`.
      (_all, key: string) => key + TRAEFIK_PATTERN.replaceAll('$', '$$$$'),
    )
}

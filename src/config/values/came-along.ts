/**
 * Finds characters that came along with a value from a shell, an env file or a word processor: quotes that no program
 * took off, variables that none filled in, and characters that nobody sees. Such a value parses, and then matches nothing.
 *
 * @module
 */
import { quote } from './problem.ts'

const QUOTES = /^(?:".*"|'.*'|`.*`|[“”„‟«»].*[“”„‟«»]|[‘’‚‛‹›].*[‘’‚‛‹›])$/s
/** A quote at one end alone: a list was cut inside its quotes. An apostrophe may be part of a name. */
const HALF_QUOTED = /^["“”„‟«»]|["“”„‟«»]$/
/** A variable that a shell or Compose was to fill in; systemd and `docker --env-file` fill in none. */
const UNFILLED = /\$\{[A-Za-z_]\w*(?::?[-=?+][^}]*)?\}/
/** Format characters (a byte-order mark, zero-width and bidirectional ones), and spaces that look like a plain one. */
const UNSEEN = /[\p{Cf}\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/u

/**
 * @param options `secret`: never shown, and any character but quotes around it may be meant; `prose`: a text for people
 * @returns the problem and its fix; undefined if there is none
 */
export function cameAlong(
  given: string,
  { secret = false, prose = false }: { secret?: boolean; prose?: boolean } = {},
): string | undefined {
  const value = given.trim()
  if (value.length > 1 && QUOTES.test(value)) {
    return secret
      ? 'is in quotes; leave them out. If they are part of the secret, put it into a file and name that instead.'
      : `${quote(value)} is in quotes; leave them out.`
  }
  const [variable] = UNFILLED.exec(value) ?? []
  // A secret may hold anything, but no secret is a variable alone.
  if (variable !== undefined && (secret ? variable === value : !prose)) {
    return `holds the variable ${variable.slice(0, 80)}, which nothing filled in. Write its value.`
  }
  if (secret || prose) return undefined
  if (HALF_QUOTED.test(value)) {
    return `${quote(value)} has a quote at one end. Leave it out.`
  }
  const [unseen] = UNSEEN.exec(value) ?? []
  if (unseen === undefined) return undefined
  const code = unseen.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
  return `${quote(value.replace(new RegExp(UNSEEN, 'gu'), '…'))} holds the invisible character U+${code}. Type the value again.`
}

/** The names in the sections of the file whose values are secrets. */
export const SECRET_LEAVES: ReadonlySet<string> = new Set([
  'password_hash',
  'client_secret',
  'token',
])

/** The same for every text below a part of the file, each with its path. */
export function* cameAlongBelow(
  value: unknown,
  path: readonly PropertyKey[] = [],
): Generator<{ path: readonly PropertyKey[]; problem: string }> {
  if (typeof value === 'string') {
    const leaf = path.at(-1)
    const isText = typeof leaf === 'string'
    const prose = leaf === 'name' || leaf === 'client_name' || (path.at(-2) === 'scopes' && isText)
    const problem = cameAlong(value, { secret: isText && SECRET_LEAVES.has(leaf), prose })
    if (problem !== undefined) yield { path, problem }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      yield* cameAlongBelow(inner, [...path, Array.isArray(value) ? Number(key) : key])
    }
  }
}

/**
 * Tells secrets that a person made up from secrets that a machine made.
 *
 * @module
 */
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

/** Words in secrets that were meant to be replaced, each too long to occur in a random secret by chance. */
const PLACEHOLDER =
  /change.?(?:me|this|it)|replace.?(?:me|this|it)|your.?secret|my.?secret|password|passw0rd|example|default|letmein|qwerty|abcdefgh|12345678|insecure|development|supersecret|placeholder/i

/**
 * Why a secret can be guessed, as a predicate for a problem; undefined if the secret looks random.
 * Hexadecimal secrets have at most 16 different characters, and random ones often fewer, so 10 are enough there.
 */
export function weakness(secret: string): string | undefined {
  if (secret.length < 16) return 'is short'
  if (PLACEHOLDER.test(secret)) return 'looks like a placeholder'
  if (/^(.+?)\1+$/s.test(secret)) return 'repeats itself'
  const hexadecimal = /^[0-9a-f-]+$/i.test(secret)
  const needed = hexadecimal ? 10 : Math.min(16, secret.length / 2)
  return new Set(secret).size < needed ? 'has few different characters' : undefined
}

/** `PROD_MODE` refuses it. */
export function warnOfWeakSecret({
  settings,
  given,
  report,
}: Pick<Chosen, 'settings' | 'given'> & { readonly report: Report }): void {
  const weak = settings.secret === undefined ? undefined : weakness(settings.secret)
  if (weak === undefined) return
  report.warning(
    given.get('secret')?.label ?? 'SECRET',
    `${weak}: whoever guesses it can sign in as anyone. Make one with: openssl rand -hex 32.`,
  )
}

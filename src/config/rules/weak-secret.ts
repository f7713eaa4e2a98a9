/**
 * Tells secrets that somebody thought up from those that a machine made.
 *
 * @module
 */

/** In secrets that were meant to be replaced. Long enough never to stand in a random one by chance. */
const PLACEHOLDER =
  /change.?(?:me|this|it)|replace.?(?:me|this|it)|your.?secret|my.?secret|password|passw0rd|example|default|letmein|qwerty|abcdefgh|12345678|insecure|development|supersecret|placeholder/i

/**
 * Why a secret can be guessed, as the end of a sentence about it; undefined if it looks random.
 * Hexadecimal secrets have 16 different characters at most, and random ones often fewer, so 10 are enough there.
 */
export function weakness(secret: string): string | undefined {
  if (secret.length < 16) return 'is short'
  if (PLACEHOLDER.test(secret)) return 'looks like a placeholder'
  if (/^(.+?)\1+$/s.test(secret)) return 'repeats itself'
  const hexadecimal = /^[0-9a-f-]+$/i.test(secret)
  const needed = hexadecimal ? 10 : Math.min(16, secret.length / 2)
  return new Set(secret).size < needed ? 'has few different characters' : undefined
}

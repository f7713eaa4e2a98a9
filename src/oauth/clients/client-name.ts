/**
 * The name that a client gives itself, made fit to be shown.
 *
 * @module
 */

const MAX_LENGTH = 64
/** Bidirectional and other format controls make a name look like another (threat T16); `\p{Cs}` is half a character. */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu

export function clientName(name = ''): string {
  return shownName(name) || 'Unnamed program'
}

/** A text of the client that may stand on a line. */
export function shownName(text: string): string {
  const line = text.replace(UNSHOWABLE, ' ').replace(/\s+/g, ' ').trim()
  return [...line].slice(0, MAX_LENGTH).join('')
}

/**
 * Says why a web page may not call, in words that name the setting to change.
 *
 * @module
 */
import { DOUBLED, type HeaderValue } from '../http/raw-headers.ts'

export const FOREIGN_PAGE = 'the web page that made this request is of a foreign origin'
const MAX_SHOWN = 100

/** The reason for a page whose origin `ALLOWED_ORIGINS` does not list. ASCII without quotes (RFC 6749 section 5.2). */
export function foreignOrigin(origin: HeaderValue): string {
  if (origin === undefined) return FOREIGN_PAGE
  if (origin === DOUBLED) return `${FOREIGN_PAGE}: it sent more than one Origin`
  if (origin === 'null') return `${FOREIGN_PAGE}: null, which ALLOWED_ORIGINS cannot list`
  const shown = origin.slice(0, MAX_SHOWN).replace(/[^\x21\x23-\x5b\x5d-\x7e]/g, '?')
  return `${FOREIGN_PAGE}: ${shown} is not in ALLOWED_ORIGINS`
}

/**
 * The code that a person reads on a device and types into the browser (RFC 8628 section 6.1): eight consonants without
 * those that are mistaken for others, shown as `WDJB-MJHT`. Pure.
 *
 * A code is a number, and the number says in which of the store's places the request is. So a code needs no record of
 * its own, and there are never more requests than places.
 *
 * @module
 */

const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ'
const LENGTH = 8
/** Places for requests. The number of codes, 20^8, is a multiple of it: every place has equally many codes. */
const PLACES = 65_536
/** How many codes each place has. */
export const CODES_OF_A_PLACE = ALPHABET.length ** LENGTH / PLACES
/** Requests of one block of addresses that can wait at once. */
export const PLACES_OF_A_GROUP = 128

/**
 * Who asks: nobody knows the client; the operator does, but its id is no secret; the operator does, and it has proved who
 * it is.
 */
export type Asker = 'stranger' | 'named' | 'proven'

/** The groups that each kind of asker has to itself, of 512. A flood by one kind takes nothing from another. */
const GROUPS: Readonly<Record<Asker, { readonly first: number; readonly count: number }>> = {
  stranger: { first: 0, count: 384 },
  named: { first: 384, count: 64 },
  proven: { first: 448, count: 64 },
}

/**
 * The code that was typed, in its one form; undefined if it cannot be one. Case and every character that codes do not
 * have are ignored.
 */
export function normalizedUserCode(typed: string): string | undefined {
  // Only plain letters count: some others become several when their case changes.
  const letters = typed.replace(/[^A-Za-z]/g, '').toUpperCase()
  const code = [...letters].filter((letter) => ALPHABET.includes(letter)).join('')
  return code.length === LENGTH ? code : undefined
}

/** The code as a person reads it. */
export const shownUserCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`

/** @param code in its one form */
export const placeOf = (code: string): number =>
  [...code].reduce((sum, letter) => sum * ALPHABET.length + ALPHABET.indexOf(letter), 0) % PLACES

/** One of the codes of a place. @param index from 0, below {@link CODES_OF_A_PLACE} */
export function userCodeAt(place: number, index: number): string {
  let rest = index * PLACES + place
  let code = ''
  while (code.length < LENGTH) {
    code = ALPHABET.charAt(rest % ALPHABET.length) + code
    rest = Math.floor(rest / ALPHABET.length)
  }
  return code
}

/**
 * The first place of the group that a block of addresses uses: it can fill that group alone.
 * @param mac of the block, base64url: nobody else can tell which blocks share a group
 */
export function firstPlaceOf(mac: string, asker: Asker): number {
  const { first, count } = GROUPS[asker]
  return (first + (Buffer.from(mac, 'base64url').readUInt16BE(0) % count)) * PLACES_OF_A_GROUP
}

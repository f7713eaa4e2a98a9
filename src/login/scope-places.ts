/**
 * Writes granted scopes as places in the list of what their resource offers. A sealed interaction has room for a few
 * thousand characters, and a resource may offer hundreds of scopes.
 *
 * @module
 */
import { sha256 } from '../crypto.ts'
import { OFFLINE_ACCESS } from '../oauth/scope.ts'

/** The fingerprint of the list, and a bit for each of its scopes. */
export type ScopePlaces = readonly [list: string, bits: Uint8Array]

/** @param scopes the scopes that the resource offers */
export function toPlaces(
  granted: readonly string[],
  scopes: Readonly<Record<string, string>>,
): ScopePlaces | undefined {
  const list = listOf(scopes)
  const places = granted.map((scope) => list.indexOf(scope))
  if (places.includes(-1)) return undefined
  const bits = new Uint8Array(Math.ceil(list.length / 8))
  for (const place of places) bits[place >> 3] = (bits[place >> 3] ?? 0) | (1 << (place & 7))
  return [fingerprint(list), bits]
}

/** The scopes at these places; undefined if the resource offers another list by now: a place may mean another scope. */
export function fromPlaces(
  [name, bits]: ScopePlaces,
  scopes: Readonly<Record<string, string>>,
): string[] | undefined {
  const list = listOf(scopes)
  if (name !== fingerprint(list)) return undefined
  return list.filter((_, place) => ((bits[place >> 3] ?? 0) >> (place & 7)) & 1)
}

const listOf = (scopes: Readonly<Record<string, string>>) => [
  ...Object.keys(scopes),
  OFFLINE_ACCESS,
]

const fingerprint = (list: readonly string[]) => sha256(list.join(' ')).slice(0, 11)

/**
 * The provider's token for a person at rest: sealed, and bound to its grant, so that the token of one person never asks
 * about another.
 *
 * @module
 */
import { z } from 'zod'
import type { Keyring } from '../crypto.ts'
import type { Identification } from '../providers/provider.ts'
import type { Grant, Records } from '../records/records.ts'
import type { UpstreamRecord } from '../records/upstream.ts'
import type { PersonTokens } from './person-token.ts'

const Sealed = z.tuple([z.string(), z.string()])

export const sealHeld = (held: string, grantId: string, keyring: Keyring): string =>
  keyring.seal('upstream', [grantId, held])

/** The token, or undefined if there is none, or none of ours for this grant. */
export function openHeld(
  record: UpstreamRecord | undefined,
  grantId: string,
  keyring: Keyring,
): string | undefined {
  if (record?.held === undefined) return undefined
  const opened = Sealed.safeParse(keyring.open('upstream', record.held))
  return opened.success && opened.data[0] === grantId ? opened.data[1] : undefined
}

/**
 * Stores what a sign-in left, for as long as its grant can last. The sign-in counts as an answer of the provider.
 * @param left `isTold`: the person's page said that the server gets the token; the setting may be newer than that page
 * @param deps `now` in milliseconds since the epoch
 */
export async function keepForRechecks(
  grant: Grant,
  { held, token, isTold }: Pick<Identification, 'held' | 'token'> & { readonly isTold: boolean },
  deps: {
    readonly records: Records
    readonly keyring: Keyring
    readonly personTokens: PersonTokens
    readonly now: () => number
  },
): Promise<void> {
  const { records, keyring, personTokens, now } = deps
  const record: UpstreamRecord = {
    checkedAt: Math.floor(now() / 1000),
    ...(held !== undefined && { held: sealHeld(held, grant.id, keyring) }),
    ...(isTold && personTokens.kept(grant, token)),
  }
  const ttl = Math.max(1, grant.expiresAt - record.checkedAt)
  // An earlier attempt of the same sign-in may have left one.
  const before = await records.upstream.find(grant.id)
  await records.upstream.put(grant.id, before, record, ttl)
}

/** For a client without refresh tokens: nobody will ask the provider, but the server behind may get the person's token. */
export async function forgetHeld(
  grantId: string,
  remaining: number,
  { upstream }: Pick<Records, 'upstream'>,
): Promise<void> {
  const before = await upstream.find(grantId)
  if (before?.token === undefined) return upstream.forget(grantId)
  const { held: _, ...rest } = before
  await upstream.put(grantId, before, rest, remaining)
}

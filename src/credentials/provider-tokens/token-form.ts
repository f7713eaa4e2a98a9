/**
 * The form of a token, before anything in it is believed: enough to keep tokens from the provider that it cannot have
 * issued. Pure.
 *
 * @module
 */
import { z } from 'zod'

export type TokenForm =
  /** A JWT with this `iss`, which may be of any type. */
  { readonly kind: 'jwt'; readonly issuer: unknown } | { readonly kind: 'opaque' }

/** Even access tokens with hundreds of groups are shorter. */
export const MAX_TOKEN_LENGTH = 16 * 1024

const OPAQUE: TokenForm = { kind: 'opaque' }
const JsonObject = z.looseObject({})

/** @param token at most {@link MAX_TOKEN_LENGTH} characters */
export function tokenForm(token: string): TokenForm {
  const parts = token.split('.', 6)
  const [header = '', payload = ''] = parts
  if (parts.length !== 3 || !readObject(header)) return OPAQUE
  return { kind: 'jwt', issuer: readObject(payload)?.iss }
}

function readObject(part: string): Record<string, unknown> | undefined {
  try {
    return JsonObject.safeParse(JSON.parse(Buffer.from(part, 'base64url').toString())).data
  } catch {
    return undefined
  }
}

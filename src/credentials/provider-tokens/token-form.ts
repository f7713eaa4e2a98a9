/**
 * What a token is by its looks, before anything of it is believed: enough to keep what cannot be the provider's away
 * from it. Pure.
 *
 * @module
 */
import { z } from 'zod'

export type TokenForm =
  /** A JWT that names this issuer, whatever that is. */
  { readonly kind: 'jwt'; readonly issuer: unknown } | { readonly kind: 'opaque' }

/** Access tokens with hundreds of groups in them are shorter. */
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

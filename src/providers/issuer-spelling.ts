/**
 * Google may leave the scheme out of the `iss` of an ID token, and openid-client compares `iss` exactly. This gives it
 * a token with the issuer spelled out, and the original beside it, since only the original has a valid signature.
 *
 * @module
 */
import type { CustomFetchOptions } from 'openid-client'
import { z } from 'zod'

type Fetch = (address: string, options: CustomFetchOptions) => Promise<Response>

/** The member of a token answer that holds the original; a value of the provider under this name is overwritten. */
export const ORIGINAL_ID_TOKEN = 'gatewarden_original_id_token'

const TokenAnswer = z.looseObject({ id_token: z.string() })
const Claims = z.looseObject({ iss: z.string() })

/** @returns a fetch that respells `alias` as `issuer` in the ID token of a token answer, and changes nothing else */
export function spellIssuer(deps: { alias: string; issuer: string; fetch: Fetch }): Fetch {
  const { alias, issuer, fetch } = deps
  return async (address, options) => {
    const response = await fetch(address, options)
    if (options.method !== 'POST' || !response.ok) return response
    const answer = TokenAnswer.safeParse(
      await response
        .clone()
        .json()
        .catch(() => undefined),
    )
    if (!answer.success) return response
    const { id_token: original } = answer.data
    const body = {
      ...answer.data,
      id_token: respelled(original, alias, issuer),
      [ORIGINAL_ID_TOKEN]: original,
    }
    const { status, headers } = response
    return new Response(JSON.stringify(body), { status, headers })
  }
}

function respelled(idToken: string, alias: string, issuer: string): string {
  const [header, payload = '', signature] = idToken.split('.')
  const claims = Claims.safeParse(parseJson(Buffer.from(payload, 'base64url').toString()))
  if (claims.data?.iss !== alias) return idToken
  const spelled = Buffer.from(JSON.stringify({ ...claims.data, iss: issuer }))
  return `${header}.${spelled.toString('base64url')}.${signature}`
}

/** The value, or undefined if the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

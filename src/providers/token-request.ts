/**
 * Asks the token endpoint of a provider that openid-client does not know. The meaning of the answer is the caller's.
 *
 * @module
 */
import { z } from 'zod'
import { parseJson } from './oddities.ts'
import { quoteError } from './oidc-failure.ts'
import { PROVIDER_TIMEOUT, type ProviderFetch } from './provider-fetch.ts'

const ErrorAnswer = z.looseObject({
  error: z.string().min(1),
  error_description: z.string().optional(),
})

export interface TokenRequest {
  readonly form: Readonly<Record<string, string>>
  /** The values of the form that no log may have. */
  readonly secrets: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  readonly outbound: ProviderFetch
}

export type TokenReply =
  /** RFC 6749 section 5.2, whatever the status is: GitHub answers an error with 200. `quoted` may be logged. */
  | { readonly kind: 'error'; readonly error: string; readonly quoted: string }
  | { readonly kind: 'answer'; readonly status: number; readonly body: unknown }

/** Rejects with ProviderFailure if no answer comes. */
export async function requestToken(
  url: string,
  { form, secrets, headers, outbound }: TokenRequest,
): Promise<TokenReply> {
  const response = await outbound.send(url, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
    body: new URLSearchParams(form),
    signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000),
  })
  const body = parseJson(await response.text())
  const refusal = ErrorAnswer.safeParse(body)
  if (!refusal.success) return { kind: 'answer', status: response.status, body }
  const { error, error_description: words } = refusal.data
  const quoted = quoteError({ error, ...(words && { error_description: words }) }, secrets)
  return { kind: 'error', error, quoted }
}

/**
 * Turns an error of openid-client or jose into a failure whose words may be logged: their errors carry the answers of
 * the provider, with its tokens, in `cause`.
 *
 * @module
 */
import { errors } from 'jose'
import {
  AuthorizationResponseError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import { ProviderFailure, type ProviderFailureKind } from './provider.ts'

const MAX_QUOTED = 200
const KINDS: Readonly<Record<string, ProviderFailureKind>> = {
  access_denied: 'denied',
  temporarily_unavailable: 'unavailable',
}

/** A step at the provider: its subject, and its values that the provider may know and the log may not. */
export interface ProviderStep {
  readonly about:
    | 'the code'
    | 'the sign-in'
    | 'the request about a token'
    | 'the refresh token'
    | 'userinfo'
  readonly secrets: readonly string[]
}

/** The failure that `error` means, or `error` itself if it is a mistake of ours. */
export function providerFailure(error: unknown, { about, secrets }: ProviderStep): unknown {
  if (error instanceof ProviderFailure) return error
  if (error instanceof AuthorizationResponseError) {
    const kind = KINDS[error.error] ?? 'failed'
    return new ProviderFailure(
      kind,
      `the provider sent the person back: ${quoteError(error, secrets)}`,
    )
  }
  if (error instanceof ResponseBodyError) {
    const kind = error.error === 'temporarily_unavailable' ? 'unavailable' : 'failed'
    return new ProviderFailure(kind, `the provider refused ${about}: ${quoteError(error, secrets)}`)
  }
  if (error instanceof WWWAuthenticateChallengeError) {
    const parameters = error.cause[0]?.parameters
    const words = { ...parameters, error: parameters?.error ?? String(error.status) }
    return new ProviderFailure(
      'failed',
      `the provider refused ${about}: ${quoteError(words, secrets)}`,
    )
  }
  if (error instanceof errors.JOSEError) {
    return new ProviderFailure('failed', `the token: ${error.message} (${error.code})`)
  }
  if (!(error instanceof Error) || !('code' in error || error.cause)) return error
  // openid-client wraps the error of ProviderFetch.
  if (error.cause instanceof ProviderFailure) return error.cause
  const words = messageOf(error)
  return new ProviderFailure('failed', about === 'userinfo' ? `userinfo: ${words}` : words)
}

/** The library's own words: the outer error names the kind, the inner error the details. */
function messageOf(error: Error): string {
  const { cause } = error
  if (cause instanceof Response) return `${error.message} (${cause.status})`
  const inner = cause instanceof Error ? `: ${cause.message}` : ''
  return `${error.message}${inner}`.replaceAll(/\p{Cc}/gu, ' ').slice(0, MAX_QUOTED)
}

/** The provider's words, on one line and without secrets. Anybody who can change a URL may have written them. */
export function quoteError(
  { error, error_description: description }: { error: string; error_description?: string },
  secrets: readonly string[],
): string {
  const words = description === undefined ? error : `${error}, ${description}`
  if (secrets.some((secret) => secret !== '' && words.includes(secret)))
    return '(it repeats a secret)'
  return printable(words.replaceAll(/[\w.~+/=-]{32,}/g, '...'))
}

/** Words of the provider on one line, not too long. */
export const printable = (words: string) =>
  words.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_QUOTED)

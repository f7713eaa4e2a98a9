/**
 * Requests of `gatewarden doctor`: one answer, or the reason why there is none. Redirects are answers here.
 *
 * @module
 */
import { jsonOf, plain, reasonOf, textOf } from '../answers.ts'

const PATIENCE_MS = 10_000
const MAX_LENGTH = 64 * 1024

export interface Answered {
  readonly status: number
  readonly headers: Headers
  /** The first 64 KiB of the body. An event stream counts as empty. */
  readonly text: string
}

export interface Unanswered {
  /** The error in the words of Node. */
  readonly failure: string
}

export type Ask = (
  url: string,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answered | Unanswered>

/** Asks by GET, for at most ten seconds. */
export function createAsk(options: { readonly fetch: typeof fetch }): Ask {
  return async (url, headers = {}) => {
    try {
      const response = await options.fetch(url, {
        redirect: 'manual',
        headers: { accept: 'application/json', ...headers },
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
      const { text } = await textOf(response, MAX_LENGTH)
      return { status: response.status, headers: response.headers, text }
    } catch (error) {
      return { failure: plain(reasonOf(error, PATIENCE_MS)) }
    }
  }
}

/** The members of a JSON object; none for any other body. */
export function membersOf({ text }: Pick<Answered, 'text'>): Readonly<Record<string, unknown>> {
  const parsed = jsonOf(text)
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
}

/** The words of a refusal that Gatewarden wrote; undefined for the answers of others. */
export function ownWords(answer: Answered): string | undefined {
  const { error, error_description: words } = membersOf(answer)
  return typeof error === 'string' && typeof words === 'string' ? plain(words) : undefined
}

/**
 * Requests of `gatewarden doctor`: one answer, or the reason why there is none. Redirects are answers here.
 *
 * @module
 */
import { plain } from '../token/requests.ts'

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
      return { status: response.status, headers: response.headers, text: await textOf(response) }
    } catch (error) {
      return { failure: plain(reasonOf(error)) }
    }
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop ends the stream.
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk)
      length += chunk.length
      if (length > MAX_LENGTH) break
    }
  } else await response.body?.cancel()
  return Buffer.concat(chunks).subarray(0, MAX_LENGTH).toString('utf8')
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer in ${PATIENCE_MS / 1000} seconds`
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  // An attempt at several addresses has a code and no message.
  return cause.message || ('code' in cause ? String(cause.code) : error.message)
}

/** The members of a JSON object; none for any other body. */
export function membersOf({ text }: Pick<Answered, 'text'>): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
  } catch {
    return {}
  }
}

/** The words of a refusal that Gatewarden wrote; undefined for the answers of others. */
export function ownWords(answer: Answered): string | undefined {
  const { error, error_description: words } = membersOf(answer)
  return typeof error === 'string' && typeof words === 'string' ? plain(words) : undefined
}

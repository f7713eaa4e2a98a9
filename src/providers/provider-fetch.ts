/**
 * `fetch` for a provider: it reads an answer whole, up to a limit, and tells an outage from an answer.
 *
 * @module
 */
import type { CustomFetchOptions } from 'openid-client'
import { z } from 'zod'
import { parseJson } from './oddities.ts'
import { ProviderFailure } from './provider.ts'

/** Seconds that a provider may take for one answer. */
export const PROVIDER_TIMEOUT = 5
/** Discovery documents, key sets and token answers are a few kB. */
const MAX_BYTES = 1024 * 1024

/** The operator's proxy cannot be reached, so nothing is known of the provider. */
export class ProxyAway extends Error {
  constructor(code: string, cause: unknown) {
    super(`PROVIDER_PROXY: ${code}`, { cause })
  }
}

/**
 * `fetch` on the operator's way to the provider.
 * @throws ProxyAway if the way is through a proxy that cannot be reached
 */
export type Reach = (
  url: URL,
  request: {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly signal?: AbortSignal
    readonly body: string | URLSearchParams | null
    readonly redirect: 'manual'
  },
) => Promise<Answer>

interface Answer {
  readonly status: number
  readonly headers: Iterable<[string, string]>
  readonly body: AsyncIterable<Uint8Array> | null
}

/** Both should get a signal that aborts after {@link PROVIDER_TIMEOUT}. */
export interface ProviderFetch {
  /**
   * Follows no redirect.
   * @throws ProviderFailure `unavailable` if there is no answer in time, or it is 429 or 5xx
   */
  send(address: string, options: Partial<CustomFetchOptions>): Promise<Response>
  /**
   * For documents that are asked for without credentials: one redirect is followed, within the origin.
   * @throws ProviderFailure as `send`; it names the other origin, or a second redirect
   */
  document(address: string, options: Partial<CustomFetchOptions>): Promise<Response>
}

export function createProviderFetch(reach: Reach): ProviderFetch {
  async function send(address: string, options: Partial<CustomFetchOptions>): Promise<Response> {
    const url = new URL(address)
    const asked = `${url.origin}${url.pathname}`
    const { method, headers: sent, signal, body: content } = options
    const response = await reach(url, {
      ...(method !== undefined && { method }),
      ...(sent !== undefined && { headers: sent }),
      ...(signal && { signal }),
      // A form, JSON, or nothing: openid-client sends no other body here.
      body: content instanceof URLSearchParams || typeof content === 'string' ? content : null,
      redirect: 'manual',
    }).catch((error: unknown) => {
      throw outage(asked, error)
    })
    const body = await readBody(response, asked)
    if (response.status >= 500 || response.status === 429) {
      throw new ProviderFailure('unavailable', `${asked} answered ${response.status}`)
    }
    const received = { status: response.status, headers: new Headers([...response.headers]) }
    const { status, headers } = method === 'POST' ? spellError(received, body) : received
    return new Response(body.length > 0 ? body : null, { status, headers })
  }

  return {
    send,
    async document(address, options) {
      const response = await send(address, options)
      const target = redirectOf(response, address)
      if (target === undefined) return response
      const { origin, pathname } = new URL(address)
      if (target.origin !== origin) {
        throw new ProviderFailure(
          'failed',
          `${origin}${pathname} redirects to another origin: ${target.origin}${target.pathname}`,
        )
      }
      const followed = await send(target.href, options)
      if (redirectOf(followed, target.href) === undefined) return followed
      throw new ProviderFailure('failed', `${origin}${pathname} redirects more than once`)
    },
  }
}

function redirectOf({ status, headers }: Response, address: string): URL | undefined {
  const location = headers.get('location')
  if (status < 300 || status > 399 || location === null) return undefined
  return URL.canParse(location, address) ? new URL(location, address) : undefined
}

const ErrorAnswer = z.looseObject({ error: z.string().min(1) })

/**
 * The status and headers by which openid-client finds an error in the body: it would read a challenge instead, believe
 * the content type, and look for tokens in a 200.
 */
function spellError(
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  body: Uint8Array,
): { status: number; headers: Headers } {
  const answer = ErrorAnswer.safeParse(parseJson(Buffer.from(body).toString()))
  const isError = answer.success && !('access_token' in answer.data || 'active' in answer.data)
  if (!isError || status >= 500) return { status, headers }
  const spelled = new Headers(headers)
  spelled.delete('www-authenticate')
  spelled.set('content-type', 'application/json')
  return { status: status < 400 ? 400 : status, headers: spelled }
}

async function readBody(response: Answer, asked: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of response.body ?? []) {
      length += chunk.length
      if (length > MAX_BYTES) break
      chunks.push(chunk)
    }
  } catch (error) {
    throw outage(asked, error)
  }
  if (length > MAX_BYTES) {
    throw new ProviderFailure('failed', `${asked} answered with more than ${MAX_BYTES} bytes`)
  }
  return Buffer.concat(chunks)
}

function outage(asked: string, error: unknown): ProviderFailure {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new ProviderFailure(
      'unavailable',
      `${asked} did not answer within ${PROVIDER_TIMEOUT} s`,
    )
  }
  const reason = reasonOf(error)
  const words = reason === undefined ? '' : ` (${reason})`
  return new ProviderFailure('unavailable', `${asked} cannot be reached${words}`, { cause: error })
}

/** The code below an error of `fetch`, or why the operator's proxy did not lead us on. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof ProxyAway) return error.message
  if (!(error instanceof Error)) return undefined
  const [, status] = /^Proxy response \((\d{3})\)/.exec(error.message) ?? []
  if (status !== undefined) return `PROVIDER_PROXY answered ${status}`
  return ownCode(error) ?? reasonOf(error.cause)
}

/** The code below an error of `fetch`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (ownCode(error) ?? codeOf(error.cause)) : undefined
}

const ownCode = (error: Error): string | undefined =>
  'code' in error && typeof error.code === 'string' ? error.code : undefined

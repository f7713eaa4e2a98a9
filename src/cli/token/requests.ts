/**
 * Requests of `gatewarden token` to servers that it does not trust: bounded in time and length, without redirects, and to
 * https alone unless the person named a server on this machine.
 *
 * @module
 */
import type * as z from 'zod'
import { isLoopbackHost, urlOf } from '../../config/values/urls.ts'
import { jsonOf, plain, reasonOf, textOf } from '../answers.ts'

const PATIENCE_MS = 20_000
const MAX_LENGTH = 256 * 1024

/** Why there is no token, for the person at the terminal. */
export class NoToken extends Error {
  override readonly name = 'NoToken'
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The JSON of the body; undefined for anything else. */
  readonly json: unknown
}

export interface Requests {
  get(url: URL): Promise<Answer>
  post(
    url: URL,
    body:
      | { readonly json: unknown }
      | { readonly form: Readonly<Record<string, string | undefined>> },
  ): Promise<Answer>
}

/**
 * @param options `signal` ends a request under way
 * @returns requests that reject with {@link NoToken} if no answer came
 */
export function createRequests(options: {
  readonly fetch: typeof fetch
  readonly signal: AbortSignal
}): Requests {
  const { signal } = options
  async function send(url: URL, init: RequestInit): Promise<Answer> {
    try {
      const response = await options.fetch(url, {
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
        ...init,
      })
      const { text, isWhole } = await textOf(response, MAX_LENGTH)
      if (!isWhole) throw new Error('the answer is too long')
      return { status: response.status, headers: response.headers, json: jsonOf(text) }
    } catch (cause) {
      signal.throwIfAborted()
      throw new NoToken(`${url.origin} did not answer: ${reasonOf(cause, PATIENCE_MS)}`, { cause })
    }
  }
  return {
    get: (url) => send(url, { headers: { accept: 'application/json' } }),
    post: (url, body) =>
      'json' in body
        ? send(url, {
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              accept: 'application/json, text/event-stream',
            },
            body: JSON.stringify(body.json),
          })
        : send(url, {
            method: 'POST',
            headers: {
              'content-type': 'application/x-www-form-urlencoded',
              accept: 'application/json',
            },
            body: formOf(body.form),
          }),
  }
}

/**
 * The address of a next request, which a server named.
 * @param from the server that the person named
 * @throws NoToken unless it is https; a server on this machine may name another one there
 */
export function followable(text: unknown, from: URL): URL {
  const url = typeof text === 'string' ? urlOf(text) : undefined
  const isHere =
    from.protocol === 'http:' && url?.protocol === 'http:' && isLoopbackHost(url.hostname)
  if (url && (url.protocol === 'https:' || isHere) && url.username === '') return url
  throw new NoToken(`${from.origin} names an address that is not https: ${plain(String(text))}`)
}

/** @throws NoToken if the answer has another shape */
export function shaped<T>(schema: z.ZodType<T>, { json }: Answer, whose: URL): T {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const members = [
    ...new Set(parsed.error.issues.map(({ path }) => String(path[0] ?? 'all of it'))),
  ]
  throw new NoToken(`the answer of ${whose.href} cannot be used: ${plain(members.join(', '))}`)
}

function formOf(fields: Readonly<Record<string, string | undefined>>): URLSearchParams {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value)
  return form
}

/**
 * POSTs JSON to a server that the operator names, and reads its answer within limits: a broken or hostile server costs a
 * bounded number of bytes and a bounded time.
 *
 * @module
 */
import { Agent, type Dispatcher } from 'undici'
import { createEventReader } from './event-reader.ts'

const MAX_HEADER_SIZE = 16 * 1024
const MAX_REDIRECTS = 3

/** Bytes that may still be read, over all answers of one conversation. */
export interface ByteBudget {
  left: number
}

export interface PostAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface BoundedPost {
  /**
   * Sends a JSON body and gives each JSON text of the answer to `take`, until that returns true: the body, or the data of
   * each event of an event stream. The body of an answer that is not 2xx is dropped.
   * @throws Error for an answer that is too large, compressed or not UTF-8, and for a redirect to another origin
   */
  post(body: string, headers: Headers, take: (text: string) => boolean): Promise<PostAnswer>
  /** Sends a DELETE and reads nothing. */
  remove(headers: Headers): Promise<void>
  close(): Promise<void>
}

type Headers = Readonly<Record<string, string>>

/** @param options `signal` ends every request; redirects within the origin are followed, with the body */
export function createBoundedPost(
  address: URL,
  { budget, signal }: { readonly budget: ByteBudget; readonly signal: AbortSignal },
): BoundedPost {
  const agent = new Agent({ maxHeaderSize: MAX_HEADER_SIZE, pipelining: 1 })
  let path = address.pathname + address.search

  async function send(
    method: 'POST' | 'DELETE',
    headers: Headers,
    body?: string,
  ): Promise<Dispatcher.ResponseData> {
    for (let redirects = 0; ; redirects += 1) {
      const answer = await agent.request({
        origin: address.origin,
        path,
        method,
        headers: { 'user-agent': 'gatewarden', ...headers },
        ...(body !== undefined && { body }),
        signal,
      })
      // Errors after this come out of reading, or concern a body that nobody wants any more.
      answer.body.on('error', () => {})
      if (answer.statusCode !== 307 && answer.statusCode !== 308) return answer
      const { location } = answer.headers
      answer.body.destroy()
      const next = new URL(typeof location === 'string' ? location : '', address.origin + path)
      if (next.origin !== address.origin || redirects === MAX_REDIRECTS) {
        throw new Error('the server redirects to another origin, or in a circle')
      }
      path = next.pathname + next.search
    }
  }

  return {
    async post(body, headers, take) {
      const answer = await send('POST', { 'content-type': 'application/json', ...headers }, body)
      const { statusCode: status, headers: received } = answer
      try {
        if (status >= 200 && status <= 299) await read(answer, take, budget)
      } finally {
        answer.body.destroy()
      }
      return { status, headers: received }
    },
    async remove(headers) {
      const answer = await send('DELETE', headers)
      answer.body.destroy()
    },
    // It waits for nothing: open requests end with the conversation.
    close: () => agent.destroy(),
  }
}

async function read(
  { headers, body }: Dispatcher.ResponseData,
  take: (text: string) => boolean,
  budget: ByteBudget,
): Promise<void> {
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new Error('the answer is compressed, which was not asked for')
  }
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  const events = /^\s*text\/event-stream\b/i.test(String(headers['content-type'] ?? ''))
    ? createEventReader()
    : undefined
  let text = ''
  for await (const chunk of body) {
    budget.left -= chunk.length
    if (budget.left < 0) throw new Error('the answers are too large')
    const decoded = utf8.decode(chunk, { stream: true })
    if (!events) text += decoded
    else if (events(decoded).some(take)) return
  }
  // Throws for a character that the end cuts.
  text += utf8.decode()
  if (!events) take(text)
}

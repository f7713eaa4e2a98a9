/**
 * Reads the answers of servers that a command does not trust: bounded in length, and safe to print.
 *
 * @module
 */

/** A text of a server for a terminal: without control characters, which could rewrite what stands there. */
export const plain = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').slice(0, 500)

/**
 * The body, cut after `most` bytes. An event stream has no end and counts as empty: its status is enough.
 * @returns `isWhole`: false if the body was longer
 */
export async function textOf(
  response: Response,
  most: number,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    await response.body?.cancel()
    return { text: '', isWhole: true }
  }
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop ends the stream.
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    length += chunk.length
    if (length > most) break
  }
  const text = Buffer.concat(chunks).subarray(0, most).toString('utf8')
  return { text, isWhole: length <= most }
}

/** The value of a JSON text; undefined for any other text. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The reason why there is no answer, in the words of Node.
 * @param patienceMs the time after which the command gave up
 */
export function reasonOf(error: unknown, patienceMs: number): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer in ${patienceMs / 1000} seconds`
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  // An attempt at several addresses has a code and no message.
  return cause.message || ('code' in cause ? String(cause.code) : error.message)
}

/**
 * `src/outbound/` owns requests to addresses that somebody else names. It does not know what is in the documents, and
 * keeps none of them.
 *
 * This file says what a fetched document is, and how a fetch can fail.
 *
 * @module
 */

/** The text of a document, with the headers that say how long it may be kept (RFC 9111). */
export interface FetchedDocument {
  readonly text: string
  readonly headers: CacheHeaders
}

export interface CacheHeaders {
  readonly 'cache-control'?: string
  readonly age?: string
  readonly date?: string
  readonly expires?: string
}

/**
 * Fetches a JSON document without credentials.
 * @throws DocumentUnavailable for everything but a 200 with JSON in the limits of size and time
 */
export type FetchDocument = (
  url: URL,
  options: { readonly maxBytes: number },
) => Promise<FetchedDocument>

/**
 * A document could not be had. The message is for the log of the operator alone: told to a stranger, it would make us a
 * scanner of our own network (threat T9).
 */
export class DocumentUnavailable extends Error {
  override readonly name = 'DocumentUnavailable'
  /** Seconds after which another try makes sense. */
  readonly retryAfterSeconds: number
  constructor(
    reason: string,
    options: ErrorOptions & { readonly retryAfterSeconds?: number } = {},
  ) {
    super(reason, options)
    this.retryAfterSeconds = options.retryAfterSeconds ?? 5
  }
}

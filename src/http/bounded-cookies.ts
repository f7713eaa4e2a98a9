/**
 * Keeps cookies that begin with each visit bounded in number and bytes, so that no browser sends more headers than
 * proxies take (decision K44). Pure.
 *
 * @module
 */

/** A kind of cookie of which a browser may hold several. */
export interface BoundedKind {
  readonly name: RegExp
  readonly value: RegExp
  /** At most so many stay beside a new one. */
  readonly keep: number
}

/**
 * The names to clear before one more cookie of a kind is set: those that hold something else, and the oldest.
 * @param cookies by name, in the order of the `Cookie` header: browsers send the oldest first (RFC 6265 section 5.4)
 */
export function surplus(
  cookies: Readonly<Record<string, string | undefined>>,
  { name, value, keep }: BoundedKind,
): string[] {
  const all = Object.keys(cookies).filter((one) => name.test(one))
  const good = all.filter((one) => value.test(cookies[one] ?? ''))
  const kept = new Set(good.slice(-keep))
  return all.filter((one) => !kept.has(one))
}

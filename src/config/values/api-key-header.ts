/**
 * The name of the header that API keys may come in.
 *
 * @module
 */
import { canonicalName, isUntrusted } from '../../http/untrusted-headers.ts'
import { isReservedHeader } from './identity-headers.ts'
import { InvalidValue, quote } from './problem.ts'

/** @throws InvalidValue for text that is no header, or a header with another meaning */
export function parseApiKeyHeader(value: string): string {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not the name of a header. Use letters, digits and dashes, like X-API-Key.`,
    )
  }
  if (isReservedHeader(value) || isUntrusted(canonicalName(value))) {
    throw new InvalidValue(
      `${quote(value)} already has another meaning. Choose another header, like X-API-Key.`,
    )
  }
  return value
}

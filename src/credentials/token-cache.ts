/**
 * A bounded cache by token. The key is the end of the token, where its signature is: to hash a whole token costs as
 * much as the rest of a check. The whole token is compared before an entry is used.
 *
 * @module
 */
import { LRUCache } from 'lru-cache'

const MAX_ENTRIES = 10_000
const KEY_LENGTH = 48

export interface TokenCache<Value extends object> {
  get(token: string): Value | undefined
  set(token: string, value: Value): void
  delete(token: string): void
}

/** @param options `maxLength`: characters of all tokens together, each a byte */
export function createTokenCache<Value extends object>({
  maxLength,
}: {
  readonly maxLength: number
}): TokenCache<Value> {
  const entries = new LRUCache<string, { readonly token: string; readonly value: Value }>({
    max: MAX_ENTRIES,
    maxSize: maxLength,
    sizeCalculation: ({ token }) => token.length,
  })
  return {
    get(token) {
      const entry = entries.get(keyOf(token))
      return entry?.token === token ? entry.value : undefined
    },
    set: (token, value) => void entries.set(keyOf(token), { token, value }),
    delete: (token) => void entries.delete(keyOf(token)),
  }
}

const keyOf = (token: string) => token.slice(-KEY_LENGTH)

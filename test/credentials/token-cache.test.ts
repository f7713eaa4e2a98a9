import { expect, it } from 'vitest'
import { createTokenCache } from '../../src/credentials/token-cache.ts'

const tokenOf = (n: number, length: number) =>
  `${n}.`.padEnd(length - 50, 'x') + `${n}`.padStart(50, '.')

it.each([
  [100, 10_000],
  [4000, 4194],
])('ed38: keeps tokens of %d characters within its bytes and its number', (length, expected) => {
  const cache = createTokenCache<{ n: number }>({ maxLength: 16 * 1024 * 1024 })
  for (let n = 0; n < 20_000; n += 1) cache.set(tokenOf(n, length), { n })
  let kept = 0
  for (let n = 0; n < 20_000; n += 1) if (cache.get(tokenOf(n, length))?.n === n) kept += 1
  expect(kept).toBe(expected)
})

it('ed38: gives no entry for a token that only ends like another', () => {
  const cache = createTokenCache<object>({ maxLength: 10_000 })
  const token = `header.payload.${'s'.repeat(86)}`
  cache.set(token, {})
  expect(cache.get(token)).toBeDefined()
  expect(cache.get(token.replace('payload', 'another'))).toBeUndefined()
  expect(cache.get('s'.repeat(48))).toBeUndefined()
})

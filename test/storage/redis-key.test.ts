import { expect, it } from 'vitest'
import { decodeKey, encodeKey, scanPattern } from '../../src/storage/redis/key.ts'

it.each([
  ['grant:abc', 'gw:grant:abc'],
  ['', 'gw:'],
  ['ü🔑', 'gw:ü🔑'],
  ['\ud800', 'gw:\\ud800'],
  ['\\ud800', 'gw:\\u005cud800'],
])('writes the key %j as %j, and reads it back', (key, encoded) => {
  expect(encodeKey(key)).toBe(encoded)
  expect(Buffer.from(encoded, 'utf8').toString('utf8')).toBe(encoded)
  expect(decodeKey(encoded)).toBe(key)
})

it.each([
  ['grant:', 'gw:grant:*'],
  ['*?[a-z]^\\', 'gw:\\*\\?\\[a\\-z\\]\\^\\\\u005c*'],
  ['a\ud83d', 'gw:a*'],
  ['a\udd11', 'gw:a\\\\udd11*'],
])('looks for keys that begin with %j by %j', (prefix, pattern) => {
  expect(scanPattern(prefix)).toBe(pattern)
})

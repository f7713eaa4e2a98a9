import { expect, it } from 'vitest'
import { createNames } from '../../src/storage/redis/key.ts'

const names = createNames()

it.each([
  ['grant:abc', 'gw:grant:abc'],
  ['', 'gw:'],
  ['ü🔑', 'gw:ü🔑'],
  ['\ud800', 'gw:\\ud800'],
  ['\\ud800', 'gw:\\u005cud800'],
])('writes the key %j as %j, and reads it back', (key, encoded) => {
  expect(names.encode(key)).toBe(encoded)
  expect(Buffer.from(encoded, 'utf8').toString('utf8')).toBe(encoded)
  expect(names.decode(encoded)).toBe(key)
})

it.each([
  ['grant:', 'gw:grant:*'],
  ['*?[a-z]^\\', 'gw:\\*\\?\\[a\\-z\\]\\^\\\\u005c*'],
  ['a\ud83d', 'gw:a*'],
  ['a\udd11', 'gw:a\\\\udd11*'],
])('looks for keys that begin with %j by %j', (prefix, pattern) => {
  expect(names.pattern(prefix)).toBe(pattern)
})

it('sb14: begins every name with the prefix of the operator', () => {
  const { encode, decode, pattern, changes, beats } = createNames('{team-a}:')
  expect(encode('grant:abc')).toBe('{team-a}:grant:abc')
  expect(decode('{team-a}:grant:abc')).toBe('grant:abc')
  expect(pattern('grant:')).toBe('{team\\-a}:grant:*')
  expect([changes, beats('x')]).toEqual(['{team-a}:changes', '{team-a}:beat:x'])
})

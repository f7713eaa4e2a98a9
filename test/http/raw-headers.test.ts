import { expect, it } from 'vitest'
import { DOUBLED, headerReader } from '../../src/http/raw-headers.ts'

const read = headerReader(['authorization', 'cookie', 'origin'])

it('finds headers in whatever case and order, and says which are absent', () => {
  expect(read(['ORIGIN', 'https://a.test', 'X', 'y', 'AuthoriZation', 'Bearer t'])).toEqual([
    'Bearer t',
    undefined,
    'https://a.test',
  ])
  expect(read([])).toEqual([undefined, undefined, undefined])
})

it('sees a header on several lines, an empty one and a third one included', () => {
  expect(read(['Authorization', 'a', 'authorization', 'a'])[0]).toBe(DOUBLED)
  expect(read(['Authorization', '', 'authorization', 'a'])[0]).toBe(DOUBLED)
  expect(read(['Origin', 'a', 'Origin', 'b', 'Origin', 'a'])[2]).toBe(DOUBLED)
})

it('joins several lines of cookies, which are one list', () => {
  expect(read(['Cookie', 'a=1', 'cookie', 'b=2', 'COOKIE', 'c=3'])[1]).toBe('a=1; b=2; c=3')
})

it('takes nothing of other names for a header', () => {
  expect(read(['X-Authorization', 'a', 'Authorization2', 'b', 'cookie_', 'c'])).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

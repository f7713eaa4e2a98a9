import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createRetries } from '../../src/storage/retry-until-stored.ts'
import { StorageUnavailable } from '../../src/storage/storage.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Steps at a store that is away until a test brings it back. */
async function away(count: number, seconds = 3600) {
  const state = { isAway: true, attempts: 0, taken: 0 }
  const retry = createRetries(pause)
  const step = async () => {
    state.attempts += 1
    if (state.isAway) throw new StorageUnavailable(new Error('away'))
    state.taken += 1
  }
  const first = await Promise.allSettled(Array.from(Array(count), () => retry(step, seconds)))
  expect(first.every(({ status }) => status === 'rejected')).toBe(true)
  state.attempts = 0
  return { state, retry, step }
}

it.each([1, 200, 1000])(
  'ed35: a store that is away gets few attempts, with %d steps waiting',
  async (count) => {
    const { state } = await away(count)
    await pass(10_000)
    expect(state.attempts).toBeGreaterThan(30)
    expect(state.attempts).toBeLessThan(100)
    state.isAway = false
    await pass(5000)
    expect(state.taken).toBe(count)
    const attempts = state.attempts
    await pass(3_600_000)
    expect(state.attempts).toBe(attempts)
  },
)

it('ed35: no more than a thousand steps wait', async () => {
  const { state } = await away(1200)
  state.isAway = false
  await pass(10_000)
  expect(state.taken).toBe(1000)
})

it('ed35: each step ends with its time, whether the store came back or not', async () => {
  const { state, retry, step } = await away(200, 60)
  await pass(60_000)
  const attempts = state.attempts
  await pass(600_000)
  expect(state.attempts - attempts).toBeLessThanOrEqual(1)
  // The queue begins anew for later steps.
  await expect(retry(step, 60)).rejects.toThrow(StorageUnavailable)
  state.isAway = false
  await pass(1000)
  expect(state.taken).toBe(1)
})

it('ed35: pauses differ, so that many machines do not come back at the same moment', async () => {
  const pauses: number[] = []
  const retry = createRetries(async (milliseconds) => {
    pauses.push(milliseconds)
    await pause(milliseconds)
  })
  await retry(() => Promise.reject(new StorageUnavailable(new Error('away'))), 10).catch(() => {})
  await pass(5000)
  const longest = pauses.slice(6)
  expect(new Set(longest).size).toBeGreaterThan(5)
  expect(Math.min(...longest)).toBeGreaterThanOrEqual(125)
  expect(Math.max(...longest)).toBeLessThanOrEqual(250)
})

it('ed35: a step that fails for another reason than an outage is not tried again, and holds up no other', async () => {
  const { state, retry } = await away(1)
  let tries = 0
  const odd = async () => {
    tries += 1
    throw tries === 1 ? new StorageUnavailable(new Error('away')) : new TypeError('odd')
  }
  await expect(retry(odd, 60)).rejects.toThrow(StorageUnavailable)
  state.isAway = false
  await pass(2000)
  expect([tries, state.taken]).toEqual([2, 1])
})

import { describe, expect, it } from 'vitest'
import { createSingleFlight } from '../../src/login/single-flight.ts'

describe('work that is shared', () => {
  it('runs once while it runs, however many others begin meanwhile', async () => {
    const once = createSingleFlight<string>({ keep: () => true, keepMs: 60_000, elapsed: () => 0 })
    let redeemed = 0
    let answer: (outcome: string) => void = () => undefined
    const slow = () => {
      redeemed += 1
      return new Promise<string>((resolve) => {
        answer = resolve
      })
    }
    const first = once('code', slow)
    const others = Array.from({ length: 3000 }, (_, index) =>
      once(`other ${index}`, () => new Promise<string>(() => undefined)),
    )
    expect(others).toHaveLength(3000)
    const second = once('code', slow)
    expect(redeemed).toBe(1)
    answer('ann')
    expect(await Promise.all([first, second])).toEqual(['ann', 'ann'])
    expect(await once('code', slow)).toBe('ann')
    expect(redeemed).toBe(1)
  })

  it.each([
    ['a failure', () => Promise.reject(new Error('down'))],
    ['an outcome that is not kept', () => Promise.resolve('already-answered')],
  ])('runs again after %s', async (_what, run) => {
    const once = createSingleFlight<string>({
      keep: (outcome) => outcome !== 'already-answered',
      keepMs: 60_000,
      elapsed: () => 0,
    })
    await once('code', run).catch(() => undefined)
    expect(await once('code', () => Promise.resolve('ann'))).toBe('ann')
  })
})

/** Bodies that are judged before they go on: their memory and their time are bounded, together and each. */
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { collectWhole } from '../../src/proxy/whole-body.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

function collect({ most = 256 * 1024, budget = { left: 1024 * 1024 } } = {}) {
  const request = new PassThrough()
  const seen: unknown[] = []
  let free: () => void = () => undefined
  const ended = new Promise<void>((resolve) => {
    // Only the stream of a request matters here.
    collectWhole(
      request as unknown as IncomingMessage,
      { most, ms: 30_000, budget },
      {
        done: (content, release) => {
          free = release
          seen.push(content.toString())
          resolve()
        },
        refuse: (reason) => {
          seen.push(reason)
          resolve()
        },
      },
    )
  })
  return { request, seen, ended, budget, free: () => free() }
}

describe('a judged body', () => {
  it('takes its bytes from the budget, and gives them back once', async () => {
    const { request, seen, ended, budget, free } = collect()
    for (const piece of ['a'.repeat(20_000), 'b'.repeat(20_000)]) request.write(piece)
    request.end()
    await ended
    expect(seen).toEqual(['a'.repeat(20_000) + 'b'.repeat(20_000)])
    expect(budget.left).toBeLessThanOrEqual(1024 * 1024 - 40_000)
    free()
    free()
    expect(budget.left).toBe(1024 * 1024)
  })

  it('is refused while others use up the budget, and keeps nothing', async () => {
    const { request, seen, ended, budget } = collect({ budget: { left: 20_000 } })
    request.write('x'.repeat(15_000))
    request.write('x'.repeat(15_000))
    await ended
    request.end('x')
    expect(seen).toEqual(['no-room'])
    expect(budget.left).toBe(20_000)
  })

  it('is refused above its limit, once, whatever follows', async () => {
    const { request, seen, ended, budget } = collect({ most: 100 })
    request.write('x'.repeat(101))
    await ended
    request.end('x')
    await new Promise((resolve) => request.resume().once('end', resolve))
    expect(seen).toEqual(['too-large'])
    expect(budget.left).toBe(1024 * 1024)
  })

  it('is refused after 30 seconds, however steadily it comes', async () => {
    const { request, seen, ended, budget } = collect()
    for (let second = 0; second < 29; second += 1) {
      request.write('x')
      vi.advanceTimersByTime(1000)
    }
    expect(seen).toEqual([])
    vi.advanceTimersByTime(1000)
    await ended
    expect(seen).toEqual(['too-slow'])
    expect(budget.left).toBe(1024 * 1024)
  })

  it('keeps nothing of a client that leaves', async () => {
    const { request, seen, budget } = collect()
    request.write('x')
    await new Promise((resolve) => setImmediate(resolve))
    expect(budget.left).toBeLessThan(1024 * 1024)
    request.destroy()
    await new Promise((resolve) => setImmediate(resolve))
    expect(budget.left).toBe(1024 * 1024)
    expect(seen).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })
})

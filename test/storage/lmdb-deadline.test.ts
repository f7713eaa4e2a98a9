import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startDeadline } from '../../src/storage/lmdb/deadline.ts'
import { openLmdbStorage } from '../../src/storage/lmdb/lmdb.ts'
import { StorageUnavailable } from '../../src/storage/storage.ts'

const HOLDER = fileURLToPath(new URL('holder-child.ts', import.meta.url))

describe('while another process is stopped in the middle of a write', () => {
  let directory = ''
  let dir = ''
  let holder: ChildProcess | undefined
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gatewarden-lmdb-'))
    dir = join(directory, 'store')
  })
  afterEach(async () => {
    if (holder?.exitCode === null) await release()
    rmSync(directory, { recursive: true })
  })

  async function hold(): Promise<void> {
    holder = spawn(process.execPath, ['--import', 'tsx', HOLDER, dir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    if (holder.stdout) await once(holder.stdout, 'data')
  }
  async function release(): Promise<void> {
    if (!holder) return
    const exited = once(holder, 'exit')
    holder.stdin?.end()
    await exited
  }
  /** A store whose deadlines pass when told to. */
  async function open() {
    const running = new Set<() => void>()
    const storage = await openLmdbStorage({
      dir,
      now: Date.now,
      startTimer: (expire) => {
        running.add(expire)
        return () => running.delete(expire)
      },
    })
    const expireAll = () => {
      for (const expire of running) expire()
    }
    return { storage, running, expireAll }
  }
  const unavailable = { status: 'rejected', reason: expect.any(StorageUnavailable) }

  it('writes fail once they are overdue, others at once, reads go on, and it heals', async () => {
    const { storage, running, expireAll } = await open()
    await storage.set('old', 1, 60)
    await storage.set('gone', 1, 60)
    expect(running.size).toBe(0)
    await hold()

    const late = Promise.allSettled([
      storage.create('created', 1, 60),
      storage.replace('old', 1, 2, 60),
      storage.take('old'),
      storage.sweep(),
      storage.set('set', 1, 60),
      storage.delete('gone'),
    ])
    expect(running.size).toBe(6)
    expireAll()
    expect(await late).toEqual(Array(6).fill(unavailable))

    expect(await Promise.allSettled([storage.set('next', 1, 60), storage.take('old')])).toEqual([
      unavailable,
      unavailable,
    ])
    expect(running.size).toBe(0)
    expect(await storage.get('old')).toBe(1)
    expect(storage.peek('old')).toBe(1)
    const found = []
    for await (const [key] of storage.scan('')) found.push(key)
    expect(found.sort()).toEqual(['gone', 'old'])

    await release()
    await vi.waitUntil(() => storage.create('healed', 1, 60).catch(() => false))
    // Writes that had to read first were skipped. The others were made late, as the contract allows.
    expect(await storage.get('created')).toBeUndefined()
    expect(await storage.get('old')).toBe(1)
    expect(await storage.get('next')).toBeUndefined()
    expect(await storage.get('set')).toBe(1)
    expect(await storage.get('gone')).toBeUndefined()
    await storage.close()
  })

  it('writes that are in time are made', async () => {
    const { storage, running } = await open()
    await hold()
    const writes = Promise.all([storage.create('created', 1, 60), storage.set('set', 1, 60)])
    await release()
    expect(await writes).toEqual([true, undefined])
    expect(running.size).toBe(0)
    await storage.close()
  })

  it('closing does not take for ever, and a write that was not begun is not made', async () => {
    const { storage, expireAll } = await open()
    await hold()
    const writing = storage.create('created', 1, 60)
    const closing = storage.close()
    expireAll()
    expect(await Promise.allSettled([writing, closing])).toEqual([unavailable, unavailable])
    await release()
    const again = await openLmdbStorage({ dir, now: Date.now })
    expect(await again.get('created')).toBeUndefined()
    await again.close()
  })
})

describe('the deadline', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  it('is after two seconds, unless it is called off', () => {
    const expire = vi.fn()
    const cancel = startDeadline(vi.fn(() => expect.fail('it was called off')))
    startDeadline(expire)
    vi.advanceTimersByTime(1999)
    cancel()
    expect(expire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(expire).toHaveBeenCalledOnce()
  })

  it('begins anew where this process was stopped itself', () => {
    const expire = vi.fn()
    startDeadline(expire)
    const before = performance.now()
    const stopped = vi.spyOn(performance, 'now').mockReturnValue(before + 60_000)
    vi.advanceTimersByTime(2000)
    stopped.mockReturnValue(before + 62_000)
    expect(expire).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2000)
    expect(expire).toHaveBeenCalledOnce()
  })
})

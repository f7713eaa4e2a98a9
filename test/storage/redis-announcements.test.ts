import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLiveness } from '../../src/storage/liveness.ts'
import { listenForAnnouncements } from '../../src/storage/redis/announcements.ts'
import type { RedisConnection, RedisSubscription } from '../../src/storage/redis/connection.ts'
import { createNames } from '../../src/storage/redis/key.ts'
import { StorageUnavailable } from '../../src/storage/storage.ts'
import { recordEvents } from '../support/recorded-events.ts'

const BEAT_MS = 300
const DEAF_MS = 2000

/** Servers of a cluster that hold each heartbeat back until a test lets it through, or drops it. */
function createWire(serverCount = 1) {
  const sent: string[][] = Array.from({ length: serverCount }, () => [])
  const subscriptions: { deliver(message: string): void; end(): void }[] = []
  const connection: Pick<RedisConnection, 'masters' | 'subscribe' | 'problem'> = {
    masters: () =>
      sent.map((held) => async (_command: string, _channel, message = '') => {
        held.push(String(message))
        return 1
      }),
    async subscribe(channels, onMessage) {
      let end = () => {}
      const ended = new Promise<void>((resolve) => {
        end = resolve
      })
      const opened: RedisSubscription = { ended, close: end }
      subscriptions.push({ deliver: (message) => onMessage(channels[1] ?? '', message), end })
      return opened
    },
    problem: () => undefined,
  }
  return {
    connection,
    subscriptions,
    /** Takes the heartbeats that a server holds back. */
    take: (server = 0) => sent[server]?.splice(0) ?? [],
  }
}

let stop = () => {}
beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  stop()
  vi.useRealTimers()
})

/** Lets pending promises settle, and `ms` go by. */
const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

async function listen(serverCount?: number) {
  const wire = createWire(serverCount)
  const liveness = createLiveness({ elapsed: Date.now, maxStale: 60 })
  const events = recordEvents()
  const unused = async () => {
    throw new StorageUnavailable(new Error('not asked for here'))
  }
  const listener = listenForAnnouncements({
    connection: { ...wire.connection, send: unused, topology: () => '', close: async () => {} },
    names: createNames(),
    tracker: liveness,
    id: 'this process',
    isCluster: true,
    elapsed: Date.now,
    events,
  })
  stop = listener.stop
  await pass()
  return {
    ...wire,
    liveness,
    names: () => events.emitted.map(({ event }) => event),
    /** Resolves once there is another subscription; the pause before it follows the real clock. */
    async subscribedAnew() {
      const { length } = wire.subscriptions
      while (wire.subscriptions.length === length) await delay(1)
      await pass()
    },
  }
}

describe('a heartbeat', () => {
  it('counts once it has come back from every server', async () => {
    const { liveness, subscriptions, take } = await listen(2)
    const [first = ''] = take(0)
    const [second = ''] = take(1)
    subscriptions[0]?.deliver(first)
    expect(liveness.isFresh()).toBe(false)
    subscriptions[0]?.deliver(second)
    expect(liveness.isFresh()).toBe(true)
  })

  it('ends no watch while each is followed by the next, however late', async () => {
    const { liveness, subscriptions, take } = await listen()
    for (const message of take()) subscriptions[0]?.deliver(message)
    const watch = liveness.watch('grant')
    await pass(BEAT_MS * 5)
    const late = take()
    expect(late).toHaveLength(5)
    for (const message of late) subscriptions[0]?.deliver(message)
    expect([liveness.isFresh(), watch.changed]).toEqual([true, false])
  })

  it('that is overtaken is lost, and announcements may be: all watches end, and no connection has to break', async () => {
    const { liveness, subscriptions, take } = await listen(2)
    for (const server of [0, 1]) for (const each of take(server)) subscriptions[0]?.deliver(each)
    const watch = liveness.watch('grant')
    await pass(BEAT_MS)
    const [half = ''] = take(0)
    take(1)
    subscriptions[0]?.deliver(half)
    await pass(BEAT_MS)
    expect([liveness.isFresh(), watch.changed]).toEqual([true, false])
    for (const server of [0, 1]) for (const each of take(server)) subscriptions[0]?.deliver(each)
    expect([liveness.isFresh(), watch.changed]).toEqual([true, true])
    expect(liveness.watch('grant').changed).toBe(false)
  })

  it('from an earlier subscription proves nothing about the next', async () => {
    const { liveness, subscriptions, take, subscribedAnew } = await listen(2)
    const [first = ''] = take(0)
    const [second = ''] = take(1)
    subscriptions[0]?.deliver(first)
    subscriptions[0]?.end()
    await subscribedAnew()
    subscriptions[1]?.deliver(second)
    expect([liveness.isFresh(), liveness.isBridgeable()]).toEqual([false, false])
    for (const server of [0, 1]) for (const each of take(server)) subscriptions[1]?.deliver(each)
    expect(liveness.isFresh()).toBe(true)
  })
})

describe('a server that takes subscriptions and lets no heartbeat through', () => {
  it('is left every two seconds, ends no watch, and is told of once', async () => {
    const { liveness, subscriptions, take, names, subscribedAnew } = await listen()
    for (const message of take()) subscriptions[0]?.deliver(message)
    const watch = liveness.watch('grant')
    for (let times = 0; times < 3; times += 1) {
      await pass(DEAF_MS + BEAT_MS)
      await subscribedAnew()
    }
    expect([liveness.isFresh(), liveness.isBridgeable(), watch.changed]).toEqual([
      false,
      true,
      false,
    ])
    expect(names()).toEqual(['announcements-lost'])
    take()
    await pass(BEAT_MS)
    for (const message of take()) subscriptions.at(-1)?.deliver(message)
    expect([liveness.isFresh(), watch.changed]).toEqual([true, true])
    expect(names().at(-1)).toBe('announcements-back')
  })
})

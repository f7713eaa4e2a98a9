import { describe, expect, it } from 'vitest'
import { createLiveness } from '../../src/storage/liveness.ts'

function setUp(maxStale = 60) {
  let time = 1_000_000
  const liveness = createLiveness({ elapsed: () => time, maxStale })
  return {
    liveness,
    at: () => time,
    advance: (milliseconds: number) => {
      time += milliseconds
    },
  }
}

describe('liveness', () => {
  it('is neither fresh nor bridgeable before the first heartbeat', () => {
    const { liveness } = setUp()
    liveness.begin()
    expect([liveness.isFresh(), liveness.isBridgeable()]).toEqual([false, false])
  })

  it('counts from when a heartbeat was sent, not from when it arrived', () => {
    const { liveness, at, advance } = setUp()
    liveness.begin()
    const sentAt = at()
    advance(1001)
    liveness.heartbeat(sentAt)
    expect([liveness.isFresh(), liveness.isBridgeable()]).toEqual([false, true])
    liveness.heartbeat(at())
    expect(liveness.isFresh()).toBe(true)
    advance(60_000)
    expect(liveness.isBridgeable()).toBe(true)
    advance(1)
    expect(liveness.isBridgeable()).toBe(false)
  })

  it('is not fresh while nothing is heard, whatever the last heartbeat', () => {
    const { liveness, at } = setUp()
    liveness.begin()
    liveness.heartbeat(at())
    liveness.end()
    expect([liveness.isFresh(), liveness.isBridgeable()]).toEqual([false, true])
  })

  it('ends the watches of a changed grant, and only those', () => {
    const { liveness } = setUp()
    const [one, same, other] = [liveness.watch('1'), liveness.watch('1'), liveness.watch('2')]
    liveness.changed('1')
    liveness.changed('unknown')
    expect([one.changed, same.changed, other.changed]).toEqual([true, true, false])
    expect(liveness.watch('1').changed).toBe(false)
  })

  describe('that begins to hear anew', () => {
    function setUpAnew() {
      const set = setUp()
      const { liveness, at } = set
      liveness.begin()
      liveness.heartbeat(at())
      const watches = [liveness.watch('1'), liveness.watch('2')]
      liveness.end()
      liveness.begin()
      return { ...set, changed: () => watches.map(({ changed }) => changed) }
    }

    it('bridges with what was read before, and is not fresh, until a heartbeat', () => {
      const { liveness, changed, advance } = setUpAnew()
      for (let second = 0; second < 60; second += 2) {
        advance(2000)
        liveness.end()
        liveness.begin()
        expect([liveness.isFresh(), liveness.isBridgeable()]).toEqual([false, true])
      }
      expect(changed()).toEqual([false, false])
      advance(1)
      expect(liveness.isBridgeable()).toBe(false)
    })

    it('ends all watches with the first heartbeat, and none with the next', () => {
      const { liveness, changed, at } = setUpAnew()
      liveness.heartbeat(at())
      expect([liveness.isFresh(), ...changed()]).toEqual([true, true, true])
      const watch = liveness.watch('1')
      liveness.heartbeat(at())
      expect(watch.changed).toBe(false)
    })

    // Announcements and readings may come from two servers: a new master, and the old one.
    it('keeps nothing that is read before the first heartbeat', () => {
      const { liveness, at } = setUpAnew()
      const watch = liveness.watch('3')
      expect(liveness.isFresh()).toBe(false)
      liveness.heartbeat(at())
      expect(watch.changed).toBe(true)
    })

    it('ends at once what is announced to have changed', () => {
      const { liveness, changed } = setUpAnew()
      liveness.changed('2')
      expect(changed()).toEqual([false, true])
    })
  })

  it('ends the oldest watch when there are too many', () => {
    const { liveness } = setUp()
    const first = liveness.watch('first')
    const second = liveness.watch('second')
    for (let n = 0; n < 49_999; n += 1) liveness.watch(`${n}`)
    expect([first.changed, second.changed]).toEqual([true, false])
  })
})

import { expect, it } from 'vitest'
import { createClockCheck } from '../../src/storage/redis/clock.ts'
import { createClock } from '../support/build-app.ts'
import { recordEvents } from '../support/recorded-events.ts'

/** A Redis whose clock is right, and a machine whose clock is `ahead` seconds ahead; an answer takes `delay` seconds. */
function setUp({ ahead, delay = 0 }: { ahead: number; delay?: number }) {
  const clock = createClock()
  const events = recordEvents()
  let asked = 0
  const beat = createClockCheck({
    async send(command) {
      expect(command).toBe('time')
      asked += 1
      clock.advance(delay)
      return [String(Math.floor(clock() / 1000)), '250000']
    },
    now: () => clock() + ahead * 1000,
    elapsed: clock.elapsed,
    events,
  })
  const beats = async (seconds: number) => {
    for (let gone = 0; gone < seconds; gone += 1) {
      beat()
      await Promise.resolve()
      await new Promise(setImmediate)
      clock.advance(1)
    }
  }
  return { beats, warnings: events.emitted, asked: () => asked }
}

it.each([20, -20, 400, -90])(
  'ed26: warns once a minute that the clocks are %d s apart',
  async (ahead) => {
    const { beats, warnings, asked } = setUp({ ahead })
    await beats(1)
    expect(warnings).toHaveLength(1)
    const [warning] = warnings
    if (warning?.event !== 'store-unfit') throw new Error('not a warning of the store')
    expect(Math.abs(Number(warning.seconds) - ahead)).toBeLessThanOrEqual(1)
    await beats(55)
    expect(warnings).toHaveLength(1)
    await beats(20)
    expect(warnings).toHaveLength(2)
    expect(asked()).toBeLessThan(10)
  },
)

it.each([{ ahead: 0 }, { ahead: 4 }, { ahead: -4 }, { ahead: 0, delay: 30 }])(
  'ed26: does not warn about %o',
  async (given) => {
    const { beats, warnings } = setUp(given)
    await beats(120)
    expect(warnings).toEqual([])
  },
)

it('ed26: an answer that does not come, or means nothing, is no warning and no error', async () => {
  const clock = createClock()
  const answers = [new Error('NOPERM'), undefined, ['x', 'y'], []]
  const events = recordEvents()
  const beat = createClockCheck({
    async send() {
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
      return answer
    },
    now: clock,
    elapsed: clock.elapsed,
    events,
  })
  for (let n = 0; n < 4; n += 1) {
    beat()
    await new Promise(setImmediate)
    clock.advance(10)
  }
  expect([answers, events.emitted]).toEqual([[], []])
})

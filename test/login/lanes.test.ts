import { expect, it } from 'vitest'
import { createLanes } from '../../src/providers/lanes.ts'
import { type Applicant, ProviderBusy } from '../../src/providers/provider.ts'
import { bucketsOf } from '../../src/url/address-buckets.ts'
import { createClock } from '../support/build-app.ts'

const from = (address: string): Applicant => ({ isKnown: false, buckets: bucketsOf(address) })
const known = (name: string): Applicant => ({
  isKnown: true,
  buckets: [{ key: `name:${name}`, share: 1 }],
})

/** Lanes whose turns last until a test ends them. */
function lanes(length = 4) {
  const clock = createClock()
  const turn = createLanes({ length, elapsed: clock })
  const order: string[] = []
  const refused: string[] = []
  const ends: (() => void)[] = []
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    clock,
    order,
    refused,
    enter(name: string, applicant: Applicant): void {
      turn(applicant, () => {
        order.push(name)
        return new Promise<void>((resolve) => ends.push(resolve))
      }).catch((error: unknown) => {
        expect(error).toBeInstanceOf(ProviderBusy)
        refused.push(name)
      })
    },
    settle,
    async finishAll(): Promise<void> {
      await settle()
      for (let end = ends.shift(); end; end = ends.shift()) {
        end()
        await settle()
      }
    },
  }
}

it('T38: takes a known device first', async () => {
  const { enter, finishAll, order } = lanes()
  enter('running', from('192.0.2.1'))
  enter('stranger', from('192.0.2.2'))
  enter('ann', known('ann'))
  await finishAll()
  expect(order).toEqual(['running', 'ann', 'stranger'])
})

it('takes addresses with fewer turns before those with more, then whoever came first', async () => {
  const { enter, finishAll, order } = lanes()
  for (let i = 0; i < 3; i += 1) {
    enter('busy', from('192.0.2.1'))
    await finishAll()
  }
  enter('running', from('192.0.2.9'))
  enter('busy again', from('192.0.2.1'))
  enter('first', from('192.0.2.2'))
  enter('second', from('192.0.2.3'))
  await finishAll()
  expect(order.slice(3)).toEqual(['running', 'first', 'second', 'busy again'])
})

it('forgets turns after ten minutes', async () => {
  const { clock, enter, finishAll, order } = lanes()
  enter('busy', from('192.0.2.1'))
  await finishAll()
  clock.advance(600)
  enter('running', from('192.0.2.9'))
  enter('rested', from('192.0.2.1'))
  enter('fresh', from('192.0.2.2'))
  await finishAll()
  expect(order.slice(1)).toEqual(['running', 'rested', 'fresh'])
})

it('gives two places to an address, four to a /56 and eight to a /48', async () => {
  const { enter, refused, settle } = lanes(100)
  enter('running', from('192.0.2.9'))
  for (let i = 0; i < 3; i += 1) enter(`v4 ${i}`, from('192.0.2.1'))
  for (let i = 0; i < 3; i += 1) enter(`/64 ${i}`, from(`2001:db8:1::${i}`))
  for (let i = 1; i < 4; i += 1) enter(`/56 ${i}`, from(`2001:db8:1:${i}::1`))
  for (let i = 1; i < 6; i += 1) enter(`/48 ${i}`, from(`2001:db8:1:${i}00::1`))
  await settle()
  expect(refused).toEqual(['v4 2', '/64 2', '/56 3', '/48 5'])
})

it('a full queue gives the place of the worst claim to a better one, and is never longer', async () => {
  const { enter, finishAll, order, refused, settle } = lanes(2)
  enter('busy', from('192.0.2.1'))
  await finishAll()
  enter('running', from('192.0.2.9'))
  enter('waiting', from('192.0.2.2'))
  enter('busy again', from('192.0.2.1'))
  enter('fresh', from('192.0.2.3'))
  enter('too late', from('192.0.2.4'))
  enter('ann', known('ann'))
  await settle()
  expect(refused).toEqual(['busy again', 'too late', 'fresh'])
  await finishAll()
  expect(order.slice(1)).toEqual(['running', 'ann', 'waiting'])
})

it('known devices of one name cannot fill their lane', async () => {
  const { enter, refused, settle } = lanes()
  enter('running', from('192.0.2.9'))
  for (let i = 0; i < 4; i += 1) enter(`bob ${i}`, known('bob'))
  enter('ann', known('ann'))
  await settle()
  expect(refused).toEqual(['bob 2', 'bob 3'])
})

it('goes on after a task that failed', async () => {
  const turn = createLanes({ length: 2, elapsed: createClock() })
  const failing = turn(from('192.0.2.1'), () => Promise.reject(new Error('broken')))
  const next = turn(from('192.0.2.2'), async () => 'fine')
  await expect(failing).rejects.toThrow('broken')
  await expect(next).resolves.toBe('fine')
})

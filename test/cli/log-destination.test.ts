import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { createLogDestination } from '../../src/cli/log-destination.ts'
import { createClock } from '../support/build-app.ts'

/** A stream whose writes end as a test says. */
function output(maxWaiting?: number) {
  const written: string[] = []
  const held: (() => void)[] = []
  const state = { error: undefined as Error | undefined, isStalled: false }
  const stream = new Writable({
    decodeStrings: false,
    // Standard output survives its errors.
    autoDestroy: false,
    write(chunk, _encoding, done) {
      const end = () => {
        if (!state.error) written.push(String(chunk))
        done(state.error)
      }
      if (state.isStalled) held.push(end)
      else end()
    },
  })
  const destination = createLogDestination({
    stream,
    now: createClock(),
    ...(maxWaiting !== undefined && { maxWaiting }),
  })
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return { destination, written, held, state, settle }
}

it('writes lines as they are', () => {
  const { destination, written } = output()
  destination.write('one\n')
  destination.write('two\n')
  expect(written).toEqual(['one\n', 'two\n'])
})

it('keeps a bounded number of bytes for a reader that stands still, then says how many lines were lost', async () => {
  const { destination, written, held, state, settle } = output(1000)
  state.isStalled = true
  for (let i = 0; i < 100; i += 1) destination.write(`${'x'.repeat(99)}\n`)
  state.isStalled = false
  for (const end of held.splice(0)) end()
  await settle()
  destination.write('after\n')
  await settle()
  const lost = 100 - (written.length - 2)
  expect(lost).toBeGreaterThan(80)
  expect(JSON.parse(written.at(-2) ?? '')).toMatchObject({
    level: 40,
    event: 'lines-lost',
    count: lost,
  })
  expect(written.at(-1)).toBe('after\n')
})

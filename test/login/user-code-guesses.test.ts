/** Wrong codes of devices: whose count they go to (RFC 8628 section 5.1, T38). */
import { expect, it } from 'vitest'
import { createUserCodeGuesses } from '../../src/login/user-code-guesses.ts'
import { createClock } from '../support/build-app.ts'

const ADDRESS = '192.0.2.7'
const stranger = { address: ADDRESS } as const
const ann = { address: ADDRESS, person: 'u_ann' } as const
const bob = { address: ADDRESS, person: 'u_bob' } as const

function start() {
  const clock = createClock()
  const guesses = createUserCodeGuesses({ elapsed: clock.elapsed })
  return {
    ...guesses,
    advance: clock.advance,
    wrong(guesser: Parameters<typeof guesses.begin>[0], times: number) {
      for (let n = 0; n < times; n += 1) expect(guesses.begin(guesser).kind).toBe('open')
    },
  }
}

it('security review 6, T38: strangers lock an address for nobody there who is signed in', () => {
  const guesses = start()
  guesses.wrong(stranger, 20)
  expect(guesses.begin(stranger).kind).toBe('wait')
  guesses.wrong(ann, 20)
  guesses.wrong(bob, 1)
})

it('security review 6: a person has the same twenty, at every address, and uses up those of nobody else', () => {
  const guesses = start()
  guesses.wrong(ann, 10)
  guesses.wrong({ ...ann, address: '198.51.100.1' }, 10)
  expect(guesses.begin(ann).kind).toBe('wait')
  guesses.wrong(stranger, 20)
  guesses.wrong(bob, 20)
  guesses.advance(600)
  guesses.wrong(ann, 1)
})

it('security review 6: a right code of a person does not count', () => {
  const guesses = start()
  for (let n = 0; n < 50; n += 1) {
    const guess = guesses.begin(ann)
    if (guess.kind === 'open') guess.right()
  }
  guesses.wrong(ann, 20)
})

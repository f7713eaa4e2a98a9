import cookie from '@fastify/cookie'
import Fastify from 'fastify'
import { expect, it } from 'vitest'
import { createKeyring } from '../../src/crypto.ts'
import { createBrowsers } from '../../src/login/browser.ts'
import { createLockout } from '../../src/login/lockout.ts'
import { createPasswordLogin } from '../../src/login/password-login.ts'
import { type PasswordProvider, ProviderBusy } from '../../src/providers/provider.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createClock } from '../support/build-app.ts'

/** A provider that notes every attempt, as argon2 would pay for it. */
async function attempts(verify: PasswordProvider['verify']) {
  const clock = createClock()
  const keyring = createKeyring('secret', { issuer: 'https://auth.example.com' })
  let made = 0
  const login = createPasswordLogin({
    provider: {
      id: 'counting',
      name: 'Counting',
      uniqueUsernames: true,
      kind: 'password',
      userNamed: () => undefined,
      verify: (...asked) => {
        made += 1
        return verify(...asked)
      },
    },
    lockout: createLockout({ storage: createMemoryStorage({ now: clock }), keyring, now: clock }),
    browsers: createBrowsers({ keyring, secure: true }),
    clientAddress: () => '192.0.2.1',
  })
  const app = Fastify()
  await app.register(cookie)
  app.get('/', async (request) =>
    login.attempt({ name: 'ann', password: 'x' }, request).catch((error: Error) => error.name),
  )
  return { clock, made: () => made, attempt: async () => (await app.inject('/')).payload }
}

it('does not even ask the provider while a name is locked', async () => {
  const { attempt, made } = await attempts(async () => undefined)
  for (let i = 0; i < 20; i += 1) await attempt()
  expect(made()).toBe(5)
  expect(await attempt()).toBe('{"kind":"locked","seconds":1}')
})

it('counts an attempt before it is made, so that parallel ones cannot outrun the count', async () => {
  const { attempt, made } = await attempts(async () => undefined)
  await Promise.all(Array.from({ length: 50 }, attempt))
  expect(made()).toBe(5)
})

it('locks nobody out because the provider was busy', async () => {
  const { attempt, made } = await attempts(() => Promise.reject(new ProviderBusy(5)))
  for (let i = 0; i < 20; i += 1) expect(await attempt()).toBe('ProviderBusy')
  expect(made()).toBe(20)
})

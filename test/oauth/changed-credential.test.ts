/**
 * at12: a changed password, secret or fixed token ends everything that the old one opened.
 *
 * @module
 */
import { hash } from '@node-rs/argon2'
import { expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import type { ClientConfig } from '../../src/oauth/clients/client.ts'
import { createBrowser } from '../support/browser.ts'
import { ANN, BOB, buildTestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  obtainTokens,
  REDIRECT_URI,
  redeem,
  refresh,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { listen } from '../support/raw-http.ts'
import { makeSession } from '../support/session.ts'
import { storedKeys } from '../support/stored.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const passwordHash = await hash('another password', { memoryCost: 8, timeCost: 1 })
const CHANGED = { users: [{ ...ANN, passwordHash }, BOB] }

it('at12: T46: another password ends tokens, refresh, codes and sessions at the next check', async () => {
  const test = await buildTestApp()
  const { client, tokens } = await obtainTokens(test.app)
  const session = await makeSession(test)
  const newcomer = await register(test.app)
  const code = codeOf(await signIn(createBrowser(test.app), authorizeUrl(newcomer)))
  expect((await check(test.app, { cookie: session.cookie })).statusCode).toBe(200)

  const { app } = await test.restart(CHANGED)
  expect((await check(app, bearer(tokens.access_token))).statusCode).toBe(401)
  expect((await refresh(app, client, tokens.refresh_token)).json().error).toBe('invalid_grant')
  expect((await redeem(app, newcomer, code)).json().error).toBe('invalid_grant')
  expect((await check(app, { cookie: session.cookie })).statusCode).toBe(401)
})

it('at12: T46: ends them for good: the old password back in the file revives nothing', async () => {
  const test = await buildTestApp()
  const { client, tokens } = await obtainTokens(test.app)
  await listen((await test.restart(CHANGED)).app)
  await expect.poll(() => storedKeys(test.storage, 'grant:')).toEqual([])
  const { app } = await test.restart()
  expect((await check(app, bearer(tokens.access_token))).statusCode).toBe(401)
  expect((await refresh(app, client, tokens.refresh_token)).json().error).toBe('invalid_grant')
})

it("at12: T46: leaves other people's, and the person's own after a change of e-mail or groups", async () => {
  const test = await buildTestApp()
  const ann = await obtainTokens(test.app)
  const { app } = await test.restart({
    users: [
      { ...ANN, groups: ['other'] },
      { ...BOB, passwordHash },
    ],
  })
  await listen(app)
  expect((await check(app, bearer(ann.tokens.access_token))).statusCode).toBe(200)
  expect((await refresh(app, ann.client, ann.tokens.refresh_token)).statusCode).toBe(200)
})

it('at12: T46: the old secret of a configured client refreshes nothing, and the new one does', async () => {
  const secrets = ['the-secret-of-ci-until-yesterday-000', 'the-secret-of-ci-from-today-on-00000']
  const configured = (secret: string): ClientConfig => ({
    id: 'ci:nightly',
    name: 'Nightly report',
    secret,
    redirectUris: [REDIRECT_URI],
    grantTypes: ['authorization_code', 'refresh_token'],
    authMethod: 'client_secret_post',
  })
  const [before = '', after = ''] = secrets
  const test = await buildTestApp({ clients: [configured(before)] })
  const client = { client_id: 'ci:nightly' }
  const code = codeOf(await signIn(createBrowser(test.app), authorizeUrl(client)))
  const tokens = (await redeem(test.app, client, code, { client_secret: before })).json()
  const { app } = await test.restart({ clients: [configured(after)] })
  const use = (secret: string) =>
    refresh(app, client, tokens.refresh_token, { client_secret: secret })
  expect((await use(before)).json().error).toBe('invalid_client')
  expect((await use(after)).statusCode).toBe(200)
})

it('at12: T46: the old text of a fixed token opens nothing, also where its name stays', async () => {
  const fixed = (token: string) => ({
    staticTokens: [{ name: 'cron', tokenHash: sha256(token) }],
  })
  const test = await buildTestApp(fixed('until-yesterday-00000000000000000'))
  const old = bearer('until-yesterday-00000000000000000')
  expect((await check(test.app, old)).statusCode).toBe(200)
  const { app } = await test.restart(fixed('from-today-on-0000000000000000000'))
  expect((await check(app, old)).statusCode).toBe(401)
})

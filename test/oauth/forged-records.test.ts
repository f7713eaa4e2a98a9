/**
 * at10: somebody who can write to the store, and does not know `SECRET`, becomes nobody.
 *
 * @module
 */
import { expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import { buildTestApp } from '../support/build-app.ts'
import {
  CHALLENGE,
  check,
  obtainTokens,
  REDIRECT_URI,
  redeem,
  refresh,
  register,
} from '../support/oauth-client.ts'
import { storedKeys } from '../support/stored.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

it('at10: T44: a grant, an identity and a code written by hand are worth no token', async () => {
  const { app, storage, clock, logs } = await buildTestApp()
  const client = await register(app)
  const now = Math.floor(clock() / 1000)
  const grant = {
    id: 'a-grant-of-my-own',
    provider: 'builtin',
    issuer: 'builtin',
    subject: 'ann',
    clientHash: sha256(client.client_id),
    clientName: 'Mine',
    redirectHost: 'this computer',
    resource: 'https://mcp.example.com/notes/mcp',
    scopes: ['mcp'],
    createdAt: now,
    expiresAt: now + 1000,
  }
  await storage.set(`grant:${grant.id}`, grant, 1000)
  await storage.set(`identity:${grant.id}`, { groups: ['admins'] }, 1000)
  await storage.set(
    `code:${sha256('known')}`,
    {
      grantId: grant.id,
      clientHash: grant.clientHash,
      redirectUri: REDIRECT_URI,
      codeChallenge: CHALLENGE,
      resource: grant.resource,
      scopes: ['mcp'],
      issuedAt: now,
    },
    600,
  )
  const answer = await redeem(app, client, 'known')
  expect(answer.statusCode).toBe(400)
  expect(answer.json().error).toBe('invalid_grant')
  await redeem(app, client, 'known')
  const warnings = logs.filter(({ msg }) => String(msg).includes('carries no MAC of ours'))
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatchObject({ record: `code:${sha256('known')}` })
})

it('at10: T44: a grant whose person was changed in the store ends, and so does its refresh token', async () => {
  const { app, storage } = await buildTestApp()
  const { client, tokens } = await obtainTokens(app)
  const [key = ''] = await storedKeys(storage, 'grant:')
  const record = JSON.stringify(await storage.get(key))
  await storage.set(key, JSON.parse(record.replace('"subject":"ann"', '"subject":"bob"')), 1000)
  expect((await check(app, bearer(tokens.access_token))).statusCode).toBe(401)
  expect((await refresh(app, client, tokens.refresh_token)).json().error).toBe('invalid_grant')
})

it('at10: T44: the refresh state of one grant does not serve another', async () => {
  const { app, storage } = await buildTestApp()
  const { client, tokens } = await obtainTokens(app)
  const first = (await storedKeys(storage, 'refresh:'))[0] ?? ''
  const state = await storage.get(first)
  const other = await obtainTokens(app)
  const keys = await storedKeys(storage, 'refresh:')
  const second = keys.find((key) => key !== first) ?? ''
  await storage.set(second, state, 1000)
  const answer = await refresh(app, other.client, other.tokens.refresh_token)
  expect(answer.json().error).toBe('invalid_grant')
  expect((await refresh(app, client, tokens.refresh_token)).statusCode).toBe(200)
})

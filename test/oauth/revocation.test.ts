import { expect, it } from 'vitest'
import { ANN, BOB, buildTestApp } from '../support/build-app.ts'
import { check, obtainTokens, refresh } from '../support/oauth-client.ts'
import { listen } from '../support/raw-http.ts'
import { storedKeys } from '../support/stored.ts'

it('ends the grants of a person who was removed, also when the name comes back', async () => {
  const first = await buildTestApp()
  const { tokens, client } = await obtainTokens(first.app)

  const without = await first.restart({ users: [BOB] })
  await listen(without.app)
  await expect.poll(() => storedKeys(first.storage, 'grant:')).toEqual([])

  const { app } = await first.restart({ users: [ANN, BOB] })
  const answer = await check(app, { authorization: `Bearer ${tokens.access_token}` })
  expect(answer.statusCode).toBe(401)
  expect((await refresh(app, client, tokens.refresh_token)).json().error).toBe('invalid_grant')
})

it('leaves the grants of those who are still there', async () => {
  const first = await buildTestApp()
  const { tokens } = await obtainTokens(first.app)
  const { app } = await first.restart()
  await listen(app)
  const answer = await check(app, { authorization: `Bearer ${tokens.access_token}` })
  expect(answer.statusCode).toBe(200)
})

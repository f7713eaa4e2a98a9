/**
 * A web page that may not call learns which setting says so (case cl9).
 *
 * @module
 */
import { expect, it } from 'vitest'
import { buildTestApp } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'

const FOREIGN = 'the web page that made this request is of a foreign origin'
const first = await buildTestApp()
const { tokens } = await obtainTokens(first.app)
const authorization = `Bearer ${tokens.access_token}`

it.each([
  'https://chatgpt.com',
  'https://claude.ai',
  'chrome-extension://abcdefghijklmnop',
  'app://obsidian.md',
  'tauri://localhost',
])('cl9: the refusal and its log line name the origin %s and ALLOWED_ORIGINS', async (origin) => {
  const test = await first.restart()
  const answer = await check(test.app, { authorization, origin })
  expect(answer.statusCode).toBe(403)
  const reason = `${FOREIGN}: ${origin} is not in ALLOWED_ORIGINS`
  expect(answer.json()).toEqual({ error: 'access_denied', error_description: reason })
  expect(test.logs).toContainEqual(
    expect.objectContaining({ msg: 'decision', status: 403, reason }),
  )
  const allowing = await first.restart({ allowedOrigins: [origin] })
  expect((await check(allowing.app, { authorization, origin })).statusCode).toBe(200)
})

it.each([
  ['null', `${FOREIGN}: null, which ALLOWED_ORIGINS cannot list`],
  ['a"b\\c d\u00e9', `${FOREIGN}: a?b?c?d? is not in ALLOWED_ORIGINS`],
  [`https://${'x'.repeat(500)}`, `${FOREIGN}: https://${'x'.repeat(92)} is not in ALLOWED_ORIGINS`],
])('cl9: the refusal is safe and short for the origin %j', async (origin, description) => {
  const { app } = await first.restart()
  const answer = await check(app, { authorization, origin })
  expect([answer.statusCode, answer.json().error_description]).toEqual([403, description])
})

import { expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp } from '../support/build-app.ts'
import { authorizeUrl, check, obtainTokens, register, signIn } from '../support/oauth-client.ts'

it('takes a person from the client through consent and login back to the client', async () => {
  const { app } = await buildTestApp()
  const client = await register(app)
  const answer = await signIn(createBrowser(app), authorizeUrl(client))
  expect(answer.statusCode).toBe(303)
  const location = new URL(String(answer.headers.location))
  expect(location.origin + location.pathname).toBe('http://127.0.0.1:33418/callback')
  expect(Object.fromEntries(location.searchParams)).toEqual({
    code: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    state: 'the-state',
    iss: 'https://auth.example.com',
  })
})

it('allows a call with the token and says who calls', async () => {
  const { app } = await buildTestApp()
  const { tokens } = await obtainTokens(app)
  const answer = await check(app, { authorization: `Bearer ${tokens.access_token}` })
  expect(answer.statusCode).toBe(200)
  expect(answer.headers).toMatchObject({
    'content-length': '0',
    'x-forwarded-user': 'ann@example.com',
    'x-forwarded-email': 'ann@example.com',
    'x-forwarded-groups': 'staff',
    'x-forwarded-scopes': 'mcp',
    'x-user-name': 'Ann Adams',
  })
})

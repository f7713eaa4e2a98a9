/** cl15: the line in the log for a client that asks only for scopes that its server does not have. */
import { expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp } from '../support/build-app.ts'
import { authorizeUrl, register } from '../support/oauth-client.ts'

const LINE = 'the client asked only for scopes that this server does not have'

it('cl15: is one line with what was asked and what is granted', async () => {
  const { app, logs } = await buildTestApp()
  const client = await register(app)
  const page = await createBrowser(app).get(authorizeUrl(client, { scope: 'user offline_access' }))
  expect(page.statusCode).toBe(200)
  expect(logs.filter(({ msg }) => msg === LINE)).toMatchObject([
    {
      level: 30,
      client: 'Test client',
      askedScopes: ['user', 'offline_access'],
      scopes: ['mcp', 'offline_access'],
    },
  ])
})

it.each([undefined, 'mcp', 'openid mcp', 'offline_access', ' '])(
  'cl15: is not written for %j',
  async (scope) => {
    const { app, logs } = await buildTestApp()
    await createBrowser(app).get(authorizeUrl(await register(app), { scope }))
    expect(logs.filter(({ msg }) => msg === LINE)).toEqual([])
  },
)

/** Each refusal says in its body what it is (first-hour fd13), and nothing that helps a stranger with a token. */
import { expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'

it('fd13: a description stands in every refusal', async () => {
  const test = await buildTestApp({ resources: [resource({ allow: ANYONE })] })
  const { tokens } = await obtainTokens(test.app)
  const said = async (headers: Record<string, string>) => {
    const answer = await check(test.app, headers)
    return [answer.statusCode, answer.json().error, answer.json().error_description]
  }
  expect(await said({})).toEqual([
    401,
    'invalid_token',
    'This server needs a login and the request has no access token',
  ])
  const bad = [401, 'invalid_token', 'The access token is expired or revoked or not valid here']
  expect(await said({ authorization: 'Bearer nonsense' })).toEqual(bad)
  expect(await said({ authorization: 'Bearer ,' })).toEqual([
    400,
    'invalid_request',
    'The Authorization header is malformed or doubled',
  ])
  expect(await said({ 'x-forwarded-host': 'elsewhere.test' })).toEqual([
    403,
    'access_denied',
    'no protected server is configured at this address',
  ])
  // An expired token is told apart in the log alone.
  test.clock.advance(7200)
  expect(await said({ authorization: `Bearer ${tokens.access_token}` })).toEqual(bad)
})

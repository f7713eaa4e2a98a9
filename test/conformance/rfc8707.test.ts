/** RFC 8707: Resource Indicators. */
import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  obtainTokens,
  RESOURCE,
  type RegisteredClient,
  redeem,
  refresh,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { responseOf } from './wire.ts'

const WIKI = 'https://mcp.example.com/wiki'
const resources = [resource(), resource({ id: 'wiki', url: WIKI, allow: ANYONE })]

let gateway: TestApp
let client: RegisteredClient
beforeEach(async () => {
  gateway = await buildTestApp({ resources })
  client = await register(gateway.app)
})

describe('section 2: a token is restricted to', () => {
  it.each([RESOURCE, WIKI])('%s where the client named it', async (indicator) => {
    const { tokens } = await obtainTokens(gateway.app, { authorize: { resource: indicator } })
    expect(decodeJwt(tokens.access_token).aud).toBe(indicator)
  })
})

it('section 2: and refused at every other resource', async () => {
  const { tokens } = await obtainTokens(gateway.app, { authorize: { resource: RESOURCE } })
  const at = (path: string) =>
    check(gateway.app, {
      authorization: `Bearer ${tokens.access_token}`,
      'x-forwarded-uri': path,
    })
  expect((await at('/notes/mcp')).statusCode).toBe(200)
  expect((await at('/wiki')).statusCode).toBe(401)
})

describe('section 2: the authorization endpoint answers invalid_target to', () => {
  it.each([
    ['a resource that is not here', 'https://elsewhere.example/mcp'],
    ['what is no absolute URI', '/notes/mcp'],
    ['a URI with a fragment', `${RESOURCE}#part`],
  ])('%s', async (_what, indicator) => {
    const answer = await createBrowser(gateway.app).get(
      authorizeUrl(client, { resource: indicator }),
    )
    expect(responseOf(answer)).toMatchObject({ error: 'invalid_target', state: 'the-state' })
  })
})

it('section 2.1: resource may occur more than once', async () => {
  const url = `${authorizeUrl(client)}&resource=${encodeURIComponent(RESOURCE)}`
  const answer = await signIn(createBrowser(gateway.app), url)
  expect(responseOf(answer)).toHaveProperty('code')
})

describe('section 2.2: at the token endpoint', () => {
  it('the resource of the authorization request is accepted', async () => {
    const code = codeOf(await signIn(createBrowser(gateway.app), authorizeUrl(client)))
    const answer = await redeem(gateway.app, client, code, { resource: RESOURCE })
    expect(answer.statusCode).toBe(200)
  })

  it('another one is invalid_target, and the code is still good for the right one', async () => {
    const code = codeOf(await signIn(createBrowser(gateway.app), authorizeUrl(client)))
    const wrong = await redeem(gateway.app, client, code, { resource: WIKI })
    expect(wrong.statusCode).toBe(400)
    expect(wrong.json().error).toBe('invalid_target')
    expect((await redeem(gateway.app, client, code)).statusCode).toBe(200)
  })

  it('none means the one that was granted', async () => {
    const url = authorizeUrl(client, { resource: WIKI })
    const code = codeOf(await signIn(createBrowser(gateway.app), url))
    const answer = await redeem(gateway.app, client, code)
    expect(decodeJwt(answer.json().access_token).aud).toBe(WIKI)
  })

  it('a refresh cannot move to another resource', async () => {
    const { client: owner, tokens } = await obtainTokens(gateway.app)
    const answer = await refresh(gateway.app, owner, tokens.refresh_token, { resource: WIKI })
    expect(answer.statusCode).toBe(400)
    expect(answer.json().error).toBe('invalid_target')
  })
})

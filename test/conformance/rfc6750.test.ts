/** RFC 6750: Bearer Token Usage. */
import { beforeEach, describe, expect, it } from 'vitest'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { check, obtainTokens, type Tokens } from '../support/oauth-client.ts'
import { challengeOf } from './wire.ts'

let gateway: TestApp
let tokens: Tokens
beforeEach(async () => {
  gateway = await buildTestApp()
  ;({ tokens } = await obtainTokens(gateway.app))
})

describe('section 2.1: the token is taken from the Authorization header, whose scheme may be written', () => {
  it.each(['Bearer', 'bearer', 'BEARER'])('%s', async (scheme) => {
    const answer = await check(gateway.app, { authorization: `${scheme} ${tokens.access_token}` })
    expect(answer.statusCode).toBe(200)
  })
})

it('section 2.3: a token in the query is not taken', async () => {
  const answer = await check(gateway.app, {
    'x-forwarded-uri': `/notes/mcp?access_token=${tokens.access_token}`,
  })
  expect(answer.statusCode).toBe(401)
})

describe('section 3: the challenge', () => {
  it('is Bearer with parameters that are quoted strings', async () => {
    const { scheme, parameters } = challengeOf(await check(gateway.app))
    expect(scheme).toBe('Bearer')
    expect(Object.keys(parameters).length).toBeGreaterThan(0)
  })

  it('names the scope that is needed', async () => {
    expect(challengeOf(await check(gateway.app)).parameters.scope).toBe('mcp')
  })

  it('says no error to a request that brought no credential', async () => {
    const answer = await check(gateway.app)
    expect(answer.statusCode).toBe(401)
    expect(challengeOf(answer).parameters).not.toHaveProperty('error')
  })
})

describe('section 3.1: the answer is', () => {
  it('400 invalid_request to a malformed credential', async () => {
    const answer = await check(gateway.app, { authorization: 'Bearer two tokens' })
    expect(answer.statusCode).toBe(400)
    expect(challengeOf(answer).parameters.error).toBe('invalid_request')
  })

  it('401 invalid_token to a token that is not valid', async () => {
    const answer = await check(gateway.app, { authorization: 'Bearer not-one-of-ours' })
    expect(answer.statusCode).toBe(401)
    expect(challengeOf(answer).parameters.error).toBe('invalid_token')
  })

  it('403 insufficient_scope, with the scope needed, to a token of too little', async () => {
    const stricter = await gateway.restart({
      resources: [
        resource({ scopes: { mcp: 'Use it', admin: 'Manage it' }, requiredScopes: ['admin'] }),
      ],
    })
    const answer = await check(stricter.app, { authorization: `Bearer ${tokens.access_token}` })
    expect(answer.statusCode).toBe(403)
    expect(challengeOf(answer).parameters).toMatchObject({
      error: 'insufficient_scope',
      scope: 'admin',
    })
  })
})

it('section 3: error_description holds only the characters it may', async () => {
  const answer = await check(gateway.app, { authorization: 'Bearer not-one-of-ours' })
  expect(challengeOf(answer).parameters.error_description).toMatch(
    /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/,
  )
})

it('section 5.3: no cache may keep an answer that depends on a token', async () => {
  const answer = await check(gateway.app, { authorization: `Bearer ${tokens.access_token}` })
  expect(answer.headers['cache-control']).toBe('no-store')
})

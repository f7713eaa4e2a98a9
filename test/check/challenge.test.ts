import { describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { PRM } from './asked.ts'

const SSE = resource({
  id: 'sse',
  url: 'https://mcp.example.com/old/sse',
  also: ['/old/messages'],
  allow: ANYONE,
})
const WHOLE = resource({ id: 'whole', url: 'https://whole.example.com', allow: ANYONE })
const READ_WRITE = { read: 'Read', write: 'Write', admin: 'Change' }

const first = await buildTestApp({
  resources: [resource({ allow: ANYONE }), SSE, WHOLE],
})
const { tokens } = await obtainTokens(first.app)
const authorization = `Bearer ${tokens.access_token}`

async function challengeOf(headers: Record<string, string | undefined>): Promise<unknown> {
  const { app } = await first.restart()
  return (await check(app, headers)).headers['www-authenticate']
}

describe('without a credential the challenge', () => {
  it.each([
    ['the configured path', '/notes/mcp', `${PRM}/notes/mcp`],
    ['a path below', '/notes/mcp/deep/er', `${PRM}/notes/mcp/deep/er`],
    ['a final slash', '/notes/mcp/', `${PRM}/notes/mcp/`],
    ['the path without its query', '/notes/mcp?session=1&x=/y', `${PRM}/notes/mcp`],
    ['an escape as sent', '/notes/mcp/%61b', `${PRM}/notes/mcp/%61b`],
    ['an escaped spelling of its own path as sent', '/notes/%6dcp', `${PRM}/notes/%6dcp`],
    ['the configured URL for odd characters', '/notes/mcp/a"b', `${PRM}/notes/mcp`],
    ['a comma as sent', '/notes/mcp/a,b', `${PRM}/notes/mcp/a,b`],
    ['the configured URL for a semicolon', '/notes/mcp/a;b', `${PRM}/notes/mcp`],
    ['an escaped space as sent', '/notes/mcp/a%20b', `${PRM}/notes/mcp/a%20b`],
    ['the configured URL for an also-path', '/old/messages', `${PRM}/old/sse`],
    ['the configured URL below an also-path', '/old/messages/1', `${PRM}/old/sse`],
  ])('names %s', async (_what, uri, document) => {
    expect(await challengeOf({ 'x-forwarded-uri': uri })).toBe(
      `Bearer resource_metadata="${document}", scope="mcp"`,
    )
  })

  it.each([
    ['/', 'https://whole.example.com/.well-known/oauth-protected-resource'],
    ['/mcp', 'https://whole.example.com/.well-known/oauth-protected-resource/mcp'],
    ['/mcp/', 'https://whole.example.com/.well-known/oauth-protected-resource/mcp/'],
  ])('at %s of a whole host names %s', async (uri, document) => {
    expect(
      await challengeOf({ 'x-forwarded-host': 'whole.example.com', 'x-forwarded-uri': uri }),
    ).toBe(`Bearer resource_metadata="${document}", scope="mcp"`)
  })

  it('names the configured origin, whatever spelling of the host was asked', async () => {
    expect(
      await challengeOf({
        'x-forwarded-host': 'MCP.Example.COM.:443',
        'x-forwarded-proto': 'http',
      }),
    ).toBe(`Bearer resource_metadata="${PRM}/notes/mcp", scope="mcp"`)
  })
})

it('puts the error first, with a description that no parser trips over', async () => {
  const challenge = await challengeOf({ authorization: 'Bearer x' })
  expect(challenge).toBe(
    `Bearer error="invalid_token", error_description="The access token is expired or revoked or not valid here", resource_metadata="${PRM}/notes/mcp", scope="mcp"`,
  )
})

it('points to a document that is there and names the very URL that was asked for', async () => {
  const { app } = await first.restart()
  for (const uri of ['/notes/mcp', '/notes/mcp/', '/notes/mcp/deep', '/notes/mcp/%61b']) {
    const challenge = String(
      (await check(app, { 'x-forwarded-uri': uri })).headers['www-authenticate'],
    )
    const document = new URL(/resource_metadata="([^"]*)"/.exec(challenge)?.[1] ?? '')
    const answer = await app.inject({ url: document.pathname, headers: { host: document.host } })
    expect(answer.statusCode, uri).toBe(200)
    expect(answer.json()).toMatchObject({ resource: `https://mcp.example.com${uri}` })
  }
})

describe('the scopes of a challenge', () => {
  it('are the required ones', async () => {
    const { app } = await first.restart({
      resources: [
        resource({
          scopes: READ_WRITE,
          requiredScopes: ['read'],
          defaultScopes: ['read', 'write'],
        }),
      ],
    })
    expect((await check(app)).headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${PRM}/notes/mcp", scope="read"`,
    )
  })

  it('are the default ones where none is required', async () => {
    const { app } = await first.restart({
      resources: [resource({ scopes: READ_WRITE, defaultScopes: ['read', 'write'] })],
    })
    expect((await check(app)).headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${PRM}/notes/mcp", scope="read write"`,
    )
  })

  it('are left out, never empty, where there are none', async () => {
    const { app } = await first.restart({ resources: [resource({ defaultScopes: [] })] })
    expect((await check(app)).headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${PRM}/notes/mcp"`,
    )
  })

  it('are all that is required, at once, when the token lacks one', async () => {
    const { app } = await first.restart({
      resources: [
        resource({
          allow: ANYONE,
          scopes: { mcp: 'Use', ...READ_WRITE },
          requiredScopes: ['mcp', 'read', 'write'],
          defaultScopes: ['mcp'],
        }),
      ],
    })
    const answer = await check(app, { authorization })
    expect(answer.statusCode).toBe(403)
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer error="insufficient_scope", error_description="The access token lacks a permission this server requires", resource_metadata="${PRM}/notes/mcp", scope="mcp read write"`,
    )
  })
})

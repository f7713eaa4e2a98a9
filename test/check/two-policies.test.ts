/**
 * The same token at two servers with different rules: each check decides by the rule of the server that is asked for,
 * whatever was decided for the other one before (threat T55).
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check } from '../support/oauth-client.ts'
import { startAccepting } from '../support/provider-tokens.ts'
import { DOMAIN_COOKIE, makeSession } from '../support/session.ts'

const TOKEN = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae'

const STRICT = resource({
  id: 'strict',
  url: 'https://strict.example.com',
  acceptProviderTokens: true,
  allow: { ...ANYONE, anyone: false, emails: ['chief@example.com'] },
})
const LAX = resource({
  id: 'lax',
  url: 'https://lax.example.com',
  acceptProviderTokens: true,
  allow: ANYONE,
})
const resources = [STRICT, LAX]

/** The first answer in each order is cold, and the others are warm. */
const ORDERS = [
  ['the strict one first', ['strict', 'lax', 'strict', 'strict', 'lax']],
  ['the lax one first', ['lax', 'strict', 'lax', 'lax', 'strict']],
  ['the lax one warm before the strict one is asked', ['lax', 'lax', 'lax', 'strict', 'lax']],
] as const

/** Asks for the servers one after another: the strict one always refuses, the lax one never does. */
async function expectOwnRules(
  app: FastifyInstance,
  order: readonly ('strict' | 'lax')[],
  headers: Record<string, string>,
): Promise<void> {
  for (const name of order) {
    const { statusCode, headers: answered } = await check(app, {
      'x-forwarded-host': `${name}.example.com`,
      'x-forwarded-uri': '/',
      'x-forwarded-method': 'GET',
      ...headers,
    })
    expect(statusCode, name).toBe(name === 'strict' ? 403 : 200)
    expect(Boolean(answered['x-forwarded-user']), name).toBe(name === 'lax')
  }
}

it.each(ORDERS)('T55: a session of both servers is judged by each, %s', async (_, order) => {
  const test = await buildTestApp({ cookieDomain: 'example.com', resources })
  const { token } = await makeSession(test, { grant: { resource: 'https://example.com' } })
  await expectOwnRules(test.app, order, { cookie: `${DOMAIN_COOKIE}=${token}` })
})

it.each(ORDERS)('T55: a fixed token is judged by each, %s', async (_, order) => {
  // The rules about people do not apply to it, so the scopes tell the servers apart.
  const scopes = { read: 'Read', admin: 'Administer' }
  const { app } = await buildTestApp({
    resources: [
      { ...STRICT, scopes, requiredScopes: ['admin'] },
      { ...LAX, scopes },
    ],
    staticTokens: [{ name: 'ci', tokenHash: sha256(TOKEN), scopes: ['read'] }],
  })
  await expectOwnRules(app, order, { authorization: `Bearer ${TOKEN}` })
})

it.each(ORDERS)('T55: a token of the provider is judged by each, %s', async (_, order) => {
  const test = await startAccepting({ resources })
  for (const token of [await test.token(), test.opaque()]) {
    await expectOwnRules(test.app, order, { authorization: `Bearer ${token}` })
  }
})

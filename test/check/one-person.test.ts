/**
 * `X-Forwarded-User` names one person only (case at5, threat T39, decision K21).
 *
 * @module
 */
import { expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import { subjectOf } from '../../src/oauth/subject.ts'
import type { RedirectProviderConfig } from '../../src/providers/provider-config.ts'
import { HASH, load, loadYaml, problemsOf } from '../config/harness.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { obtainTokensThere, startJourney } from '../support/provider-journey.ts'
import { ACCEPTING, startAccepting } from '../support/provider-tokens.ts'
import { BARE_ANN } from './asked.ts'

const TOKEN = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae'
const STATIC = { staticTokens: [{ name: 'Alice', tokenHash: sha256(TOKEN) }] }
const OPEN = { resources: [resource({ allow: ANYONE })], ...STATIC }

/** What a server is told of a person whom nobody knows by an e-mail. */
async function userOf(
  claims: Record<string, unknown>,
  provider: Partial<RedirectProviderConfig>,
): Promise<{ user: unknown; id: unknown }> {
  const journey = await startJourney(OPEN)
  const again = await journey.restart({ provider: { ...journey.provider.config, ...provider } })
  journey.provider.person = { sub: 'somebody', ...claims }
  const tokens = await obtainTokensThere({ ...journey, ...again })
  const { headers } = await check(again.app, { authorization: `Bearer ${tokens.access_token}` })
  return { user: headers['x-forwarded-user'], id: headers['x-user-id'] }
}

const OTHER = subjectOf({ issuer: 'https://id.example.com', subject: 'other' })
const UNIQUE = { type: 'oidc', uniqueUsernames: true } as const

it.each([
  ['a provider whose user names are not unique', 'admin', { type: 'oidc' }],
  ['Google', 'admin', { type: 'google' }],
  ['the id of another person', OTHER, UNIQUE],
  ['the id of another person in fullwidth letters', `\uff55_${OTHER.slice(2)}`, UNIQUE],
  ['the id of a client', 'c_somebody', UNIQUE],
  ['the id of a token', 'S_somebody', UNIQUE],
  ['the name of a static token', 'Alice', UNIQUE],
  ['the name of a static token in another case', 'alice', { type: 'keycloak' }],
  ['the name of a static token in fullwidth letters', '\uff21lice', UNIQUE],
  ['an address', 'bob@example.test', { type: 'keycloak' }],
  ['an address with a fullwidth at sign', 'bob\uff20example.test', UNIQUE],
  ['an address with a small at sign', 'bob\ufe6bexample.test', UNIQUE],
] as const)('at5: T39: is our own id for a user name that is %s', async (_what, name, provider) => {
  const { user, id } = await userOf({ preferred_username: name }, provider)
  expect(user).toMatch(/^u_[\w-]{43}$/)
  expect(user).toBe(id)
})

it.each([
  ['Keycloak', { type: 'keycloak' }],
  ['a provider of which UNIQUE_USERNAMES says so', UNIQUE],
] as const)('at5: is the user name at %s', async (_what, provider) => {
  expect((await userOf({ preferred_username: 'carol' }, provider)).user).toBe('carol')
  expect((await userOf({ preferred_username: 'u-turn' }, provider)).user).toBe('u-turn')
})

it('at5: is the verified e-mail at every provider', async () => {
  const claims = { email: 'ann@example.com', email_verified: true, preferred_username: 'admin' }
  expect((await userOf(claims, { type: 'oidc' })).user).toBe('ann@example.com')
})

it("at5: T39: is our own id for a stranger's name in a token of the provider itself", async () => {
  const accepting = await startAccepting({
    ...STATIC,
    resources: [{ ...ACCEPTING, allow: ANYONE }],
  })
  const token = await accepting.token({
    email: undefined,
    email_verified: undefined,
    preferred_username: 'admin',
  })
  expect((await accepting.bring(token)).headers['x-forwarded-user']).toMatch(/^u_/)
})

it('at5: a static token keeps its name, and a person of the built-in login keeps theirs', async () => {
  const { app } = await buildTestApp({ ...OPEN, users: [BARE_ANN] })
  const program = await check(app, { authorization: `Bearer ${TOKEN}` })
  expect(program.headers['x-forwarded-user']).toBe('Alice')
  const { tokens } = await obtainTokens(app)
  const person = await check(app, { authorization: `Bearer ${tokens.access_token}` })
  expect(person.headers['x-forwarded-user']).toBe('ann')
})

it('at5: T39: a static token with the name of a built-in user stops the start, in any case', () => {
  const clash = (env: Record<string, string>, yaml = '') => problemsOf(() => load({ env, yaml }))
  for (const name of ['ann', 'Ann', 'ANN']) {
    expect(clash({ STATIC_BEARER_TOKENS: `${name}:${TOKEN}` })).toEqual([
      `users.ann: has the name of the static token ${name}, and a server could not tell the two apart. Rename one of the two.`,
    ])
  }
  expect(clash({}, `static_tokens: { ann: { token: ${TOKEN} } }\n`)).toHaveLength(1)
  expect(clash({ STATIC_BEARER_TOKENS: `anna:${TOKEN}` })).toEqual([])
  const static_ = `users: { static: { email: ann@example.com, password_hash: "${HASH}" } }`
  const files = { '/srv/gatewarden.yaml': static_ }
  expect(problemsOf(() => load({ env: { STATIC_BEARER_TOKENS: TOKEN }, files }))).toHaveLength(1)
})

it('at5: a static token cannot have a name that reads like one of our ids', () => {
  for (const name of ['u_x', 'C_x', 's_x']) {
    expect(problemsOf(() => load({ env: { STATIC_BEARER_TOKENS: `${name}:${TOKEN}` } }))).toEqual([
      expect.stringMatching(/^STATIC_BEARER_TOKENS: has an invalid name\. .*do not begin with u_/),
    ])
  }
})

it('at5: UNIQUE_USERNAMES belongs to PROVIDER=oidc', () => {
  const provider = (type: string) =>
    problemsOf(() =>
      loadYaml(
        `resources: [https://a.b.c]\nallow: { emails: ["*"] }\nproviders: { p: { type: ${type}, issuer_url: https://id.example.com, client_id: a, client_secret: b, unique_usernames: true } }\n`,
      ),
    )
  expect(provider('oidc')).toEqual([])
  for (const type of ['keycloak', 'google']) {
    expect(provider(type)).toEqual([
      'providers.p.unique_usernames: applies only to PROVIDER=oidc and its presets. Remove it.',
    ])
  }
})

import { describe, expect, it } from 'vitest'
import { createRecords } from '../../src/records/records.ts'
import { ANN, BOB, buildTestApp, resource, type TestApp, testConfig } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { testKeyring } from '../support/signing.ts'

async function signedIn(changes: Parameters<typeof buildTestApp>[0] = {}) {
  const test = await buildTestApp(changes)
  const { tokens } = await obtainTokens(test.app)
  return { test, authorization: `Bearer ${tokens.access_token}` }
}

async function revokeAll({ storage }: TestApp): Promise<void> {
  const { grants } = createRecords(storage, { keyring: testKeyring() })
  for await (const grant of grants.all()) await grants.revoke(grant.id)
}

describe.each([
  ['a token seen before', true],
  ['a token not seen before', false],
])('%s', (_which, warm) => {
  it('is refused at the very next check when its grant is gone', async () => {
    const { test, authorization } = await signedIn()
    if (warm) expect((await check(test.app, { authorization })).statusCode).toBe(200)
    await revokeAll(test)
    const answer = await check(test.app, { authorization })
    expect(answer.statusCode).toBe(401)
    expect(answer.json()).toMatchObject({ error: 'invalid_token' })
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  it('lives to the second', async () => {
    const { test, authorization } = await signedIn()
    const status = async () => (await check(test.app, { authorization })).statusCode
    if (warm) expect(await status()).toBe(200)
    test.clock.advance(3599)
    expect(await status()).toBe(200)
    test.clock.advance(1)
    expect(await status()).toBe(401)
    expect(await status()).toBe(401)
  })

  it('is refused from the second its grant ends', async () => {
    const { test, authorization } = await signedIn({
      lifetimes: { ...testConfig().lifetimes, grant: 600, grantIdle: 600 },
    })
    const status = async () => (await check(test.app, { authorization })).statusCode
    if (warm) expect(await status()).toBe(200)
    test.clock.advance(599)
    expect(await status()).toBe(200)
    test.clock.advance(1)
    expect(await status()).toBe(401)
  })

  it('is refused when the clock has run on without a check between', async () => {
    const { test, authorization } = await signedIn()
    if (warm) await check(test.app, { authorization })
    test.clock.advance(10 * 86_400)
    expect((await check(test.app, { authorization })).statusCode).toBe(401)
  })
})

it('does not come back to life when it was refused once', async () => {
  const { test, authorization } = await signedIn()
  expect((await check(test.app, { authorization })).statusCode).toBe(200)
  await revokeAll(test)
  for (let i = 0; i < 3; i += 1) {
    expect((await check(test.app, { authorization })).statusCode).toBe(401)
  }
})

it('ends only the tokens of the grant that was revoked', async () => {
  const { test, authorization } = await signedIn()
  const second = await obtainTokens(test.app)
  const { grants } = createRecords(test.storage, { keyring: testKeyring() })
  const gid = JSON.parse(
    Buffer.from(second.tokens.access_token.split('.')[1] ?? '', 'base64url').toString(),
  ).gid
  await grants.revoke(gid)
  const other = `Bearer ${second.tokens.access_token}`
  expect((await check(test.app, { authorization: other })).statusCode).toBe(401)
  expect((await check(test.app, { authorization })).statusCode).toBe(200)
})

describe('after a restart', () => {
  it('a token is as good as before', async () => {
    const { test, authorization } = await signedIn()
    const { app } = await test.restart()
    expect((await check(app, { authorization })).statusCode).toBe(200)
  })

  it('a person who is gone from the configuration is out', async () => {
    const { test, authorization } = await signedIn()
    const { app } = await test.restart({ users: [BOB] })
    const answer = await check(app, { authorization })
    expect(answer.statusCode).toBe(401)
    expect(answer.json()).toMatchObject({ error: 'invalid_token' })
  })

  it('a person who is off the list is refused as a person, not asked to log in again', async () => {
    const { test, authorization } = await signedIn()
    const allow = { anyone: false, emails: ['bob@elsewhere.test'], domains: [], groups: [] }
    const { app } = await test.restart({ resources: [resource({ allow })] })
    const answer = await check(app, { authorization })
    expect(answer.statusCode).toBe(403)
    expect(answer.headers).not.toHaveProperty('www-authenticate')
  })

  it('a person whose new address is on no list is refused', async () => {
    const { test, authorization } = await signedIn()
    const { app } = await test.restart({ users: [{ ...ANN, email: 'ann@elsewhere.test' }] })
    expect((await check(app, { authorization })).statusCode).toBe(403)
  })

  it('a token for a resource that is gone is refused at what took its place', async () => {
    const { test, authorization } = await signedIn()
    const { app } = await test.restart({
      resources: [resource({ url: 'https://mcp.example.com/notes' })],
    })
    expect((await check(app, { authorization })).statusCode).toBe(401)
  })

  it('a token of another gateway address is refused', async () => {
    const { test, authorization } = await signedIn()
    const publicUrl = { origin: 'https://new.example.com', host: 'new.example.com', secure: true }
    const { app } = await test.restart({ publicUrl })
    expect((await check(app, { authorization })).statusCode).toBe(401)
  })
})

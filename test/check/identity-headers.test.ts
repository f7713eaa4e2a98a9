import { describe, expect, it } from 'vitest'
import type { UserConfig } from '../../src/providers/provider-config.ts'
import { ANN, ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { asTraefikAsks, BARE_ANN, IDENTITY } from './asked.ts'

const first = await buildTestApp({ resources: [resource({ allow: ANYONE })] })
const { tokens } = await obtainTokens(first.app)
const authorization = `Bearer ${tokens.access_token}`

/** The identity headers on the wire for ann with these properties. */
async function headersFor(user: Partial<UserConfig>): Promise<Record<string, string>> {
  const { app } = await first.restart({ users: [{ ...BARE_ANN, ...user }] })
  const answer = await exchange(
    await listen(app),
    asTraefikAsks([`Authorization: ${authorization}`]),
  )
  expect(answer.status).toBe(200)
  return Object.fromEntries(
    IDENTITY.map((name) => {
      expect(answer.values(name), name).toHaveLength(1)
      return [name, answer.values(name)[0] ?? '']
    }),
  )
}

describe('a name', () => {
  it.each([
    ['plain', 'Ann Adams', 'Ann Adams'],
    ['Polish', 'Łukasz Żółć', '%C5%81ukasz %C5%BB%C3%B3%C5%82%C4%87'],
    ['of Latin-1 characters', 'Jürgen', 'J%C3%BCrgen'],
    ['Chinese', '王小明', '%E7%8E%8B%E5%B0%8F%E6%98%8E'],
    ['with an emoji', 'Ann 🦊', 'Ann %F0%9F%A6%8A'],
    ['with a line break', 'Ann\r\nX-User-Id: u_admin', 'Ann%0D%0AX-User-Id: u_admin'],
    ['with a bare line feed', 'Ann\nB', 'Ann%0AB'],
    ['with a NUL and a DEL', 'a\u0000b\u007fc', 'a%00b%7Fc'],
    ['with spaces around it', '  Ann ', '%20%20Ann%20'],
    ['of spaces only', '  ', '%20%20'],
    ['with a tab before it', '\tAnn', '%09Ann'],
    ['with a percent sign', '100% Ann %41', '100%25 Ann %2541'],
    ['with half a surrogate pair', 'a\ud83eb', 'a%EF%BF%BDb'],
    ['with the other half', '\udd8a', '%EF%BF%BD'],
    ['with a comma, which is fine here', 'Adams, Ann', 'Adams, Ann'],
  ])('%s', async (_what, displayName, value) => {
    expect((await headersFor({ displayName }))['X-User-Name']).toBe(value)
  })

  it('decodes to what it was', async () => {
    const displayName = ' Łukasz, 100% 王\r\n'
    const { 'X-User-Name': value = '' } = await headersFor({ displayName })
    expect(decodeURIComponent(value)).toBe(displayName)
  })

  it('is the user name where there is no other', async () => {
    expect((await headersFor({}))['X-User-Name']).toBe('ann')
  })
})

describe('groups', () => {
  it.each([
    ['none', [], ''],
    ['two', ['staff', 'admins'], 'staff,admins'],
    ['one with a comma in its name, which stays one', ['a,admins', 'b'], 'a%2Cadmins,b'],
    ['one that looks like an escaped comma', ['a%2Cb'], 'a%252Cb'],
    ['Chinese ones', ['開発', '営業'], '%E9%96%8B%E7%99%BA,%E5%96%B6%E6%A5%AD'],
    ['spaces at their ends', [' staff', 'x '], '%20staff,x%20'],
    ['a line break', ['staff\r\nX-User-Id: root'], 'staff%0D%0AX-User-Id: root'],
    ['paths as Keycloak names them', ['/eng/platform'], '/eng/platform'],
  ])('with %s', async (_what, groups, value) => {
    expect((await headersFor({ groups }))['X-Forwarded-Groups']).toBe(value)
  })
})

describe('X-Forwarded-User is', () => {
  it('the e-mail where there is one', async () => {
    const headers = await headersFor({ email: 'ann@example.com' })
    expect(headers).toMatchObject({
      'X-Forwarded-User': 'ann@example.com',
      'X-Forwarded-Email': 'ann@example.com',
    })
  })

  it('the user name where there is none, and the e-mail stays empty', async () => {
    const headers = await headersFor({})
    expect(headers).toMatchObject({ 'X-Forwarded-User': 'ann', 'X-Forwarded-Email': '' })
  })

  it('our own name for a person whose user name looks like an address that nobody verified', async () => {
    const users = [{ ...BARE_ANN, name: 'ceo@corp.com' }]
    const { app } = await first.restart({ users })
    const { tokens } = await obtainTokens(app, { person: { name: 'ceo@corp.com' } })
    const answer = await check(app, { authorization: `Bearer ${tokens.access_token}` })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'x-forwarded-user': expect.stringMatching(/^u_[A-Za-z0-9_-]{43}$/),
      'x-forwarded-email': '',
    })
    expect(answer.headers['x-forwarded-user']).toBe(answer.headers['x-user-id'])
  })
})

it('says anew who the person is when the configuration says so, for a token issued before', async () => {
  const { app } = await first.restart({
    users: [{ ...ANN, email: 'ann@new.example.com', groups: ['admins'] }],
  })
  const answer = await check(app, { authorization })
  expect(answer.headers).toMatchObject({
    'x-forwarded-email': 'ann@new.example.com',
    'x-forwarded-groups': 'admins',
  })
})

it('T24: has nothing of identity headers that came with the question', async () => {
  const { app } = await first.restart({ users: [BARE_ANN] })
  const forged = IDENTITY.map((name) => `${name}: forged`)
  const answer = await exchange(
    await listen(app),
    asTraefikAsks([`Authorization: ${authorization}`, ...forged]),
  )
  expect(answer.status).toBe(200)
  expect(answer.lines.filter(([, value]) => value.includes('forged'))).toEqual([])
})

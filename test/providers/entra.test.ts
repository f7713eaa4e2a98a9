import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { AllowList } from '../../src/resources/policy.ts'
import { createBrowser, refreshTarget } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  CONTOSO,
  COOKS,
  type EntraStandIn,
  FABRIKAM,
  OID,
  STAFF,
  startEntra,
} from '../support/entra-stand-in.ts'
import { authorizeUrl, check, codeOf, redeem, register } from '../support/oauth-client.ts'
import { approve, isFailedSignIn, UNTRUSTED_REDIRECT } from '../support/provider-journey.ts'

interface WithEntra extends TestApp {
  readonly entra: EntraStandIn
}

const NOBODY: AllowList = { anyone: false, emails: [], domains: [], groups: [] }

async function start(
  changes: Partial<EntraStandIn['config']> = {},
  allow: Partial<AllowList> = ANYONE,
): Promise<WithEntra> {
  const entra = await startEntra()
  const test = await buildTestApp({
    provider: { ...entra.config, ...changes },
    users: [],
    resources: [resource({ allow: { ...NOBODY, ...allow } })],
  })
  return { ...test, entra }
}

/** Two organisations are let in. */
async function startForTwo(allow?: Partial<AllowList>): Promise<WithEntra> {
  const entra = await startEntra()
  const test = await buildTestApp({
    provider: {
      ...entra.config,
      tenants: [CONTOSO, FABRIKAM],
      issuerUrl: `${entra.base}/organizations/v2.0`,
    },
    users: [],
    resources: [resource({ allow: { ...NOBODY, ...(allow ?? ANYONE) } })],
  })
  return { ...test, entra }
}

async function signIn(test: WithEntra) {
  const browser = createBrowser(test.app)
  const client = await register(test.app, { redirect_uris: [UNTRUSTED_REDIRECT] })
  const approved = await approve(
    browser,
    authorizeUrl(client, { redirect_uri: UNTRUSTED_REDIRECT }),
  )
  return browser.get(await test.entra.signIn(refreshTarget(approved.body)))
}

async function headersOf(test: WithEntra) {
  const browser = createBrowser(test.app)
  const client = await register(test.app)
  const approved = await approve(browser, authorizeUrl(client))
  const back = await test.entra.signIn(refreshTarget(approved.body))
  const answer = await redeem(test.app, client, codeOf(await browser.get(back)))
  const { access_token } = answer.json()
  return (await check(test.app, { authorization: `Bearer ${access_token}` })).headers
}

async function failureOf(test: WithEntra): Promise<unknown> {
  const answer = await signIn(test)
  expect(answer.statusCode).toBeGreaterThanOrEqual(400)
  return test.logs.find(isFailedSignIn)?.reason
}

const change = (test: WithEntra, claims: Record<string, unknown>) =>
  Object.assign(test.entra.person, claims)

describe('a person of Entra', () => {
  it('signs in at the tenant, with groups by id', async () => {
    const test = await start()
    expect(await headersOf(test)).toMatchObject({
      'x-forwarded-user': 'ann@contoso.example',
      'x-forwarded-email': 'ann@contoso.example',
      'x-user-name': 'Ann Adams',
      'x-forwarded-groups': STAFF,
    })
    expect(test.entra.asked[0]?.pathname).toBe(`/${CONTOSO}/oauth2/v2.0/authorize`)
    expect(test.entra.graphCalls).toEqual([])
  })

  it('is the same under another address, user name and pairwise subject', async () => {
    const test = await start()
    const before = await headersOf(test)
    change(test, { email: 'x@contoso.example', preferred_username: 'x', sub: 'of-another-app' })
    const after = await headersOf(test)
    expect(after['x-user-id']).toBe(before['x-user-id'])
  })

  it('nOAuth: is not the one whose address an account of another person has', async () => {
    const test = await start()
    const ann = await headersOf(test)
    change(test, { oid: OID.replace('6', '7') })
    expect((await headersOf(test))['x-user-id']).not.toBe(ann['x-user-id'])
  })

  it.each([undefined, null, '', 'ann', 7, [OID]])(
    'is nobody with the object id %j',
    async (oid) => {
      const test = await start()
      change(test, { oid })
      expect(await failureOf(test)).toBe('the ID token has no object id (oid)')
    },
  )

  it('chooses an account to sign in as somebody else, and keeps the other work with Microsoft', async () => {
    const test = await start({}, { emails: ['bob@contoso.example'] })
    const page = await signIn(test)
    expect(page.statusCode).toBe(403)
    const again = /href="([^"]*prompt=select_account[^"]*)"/.exec(page.body)?.[1] ?? ''
    expect(again).toContain('/oauth2/v2.0/authorize')
  })

  it('T34: needs a signature of Entra', async () => {
    const test = await start()
    test.entra.answer = (request, response) => {
      if (!request.url?.endsWith('/keys')) return false
      says({ keys: [] })(response)
      return true
    }
    expect(await failureOf(test)).toMatch(/no applicable key/)
  })
})

const says =
  (body: unknown, status = 200) =>
  (response: ServerResponse) =>
    void response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(typeof body === 'string' ? body : JSON.stringify(body))

describe('the e-mail of Entra', () => {
  it.each([true, 1, '1', 'true'])('counts when xms_edov is %j', async (xms_edov) => {
    const test = await start()
    change(test, { xms_edov })
    expect((await headersOf(test))['x-forwarded-email']).toBe('ann@contoso.example')
  })

  it.each([undefined, null, false, 0, '0', 'false', 'yes', 2, [true], {}])(
    'nOAuth: counts for nothing when xms_edov is %j, whatever the domain',
    async (xms_edov) => {
      const test = await start(
        {},
        { domains: ['contoso.example'], emails: ['ann@contoso.example'] },
      )
      change(test, { xms_edov, email_verified: true })
      expect((await signIn(test)).statusCode).toBe(403)
    },
  )

  it('counts in a domain that the operator vouches for, in the only tenant', async () => {
    const test = await start({ verifiedDomains: ['contoso.example'] })
    change(test, { xms_edov: undefined, email: 'Ann@Contoso.Example' })
    expect((await headersOf(test))['x-forwarded-email']).toBe('Ann@Contoso.Example')
  })

  it.each([
    'ann@evil.example',
    'ann@sub.contoso.example',
    'ann@evilcontoso.example',
    'a@evil.test@contoso.example',
    'ann@\u212aontoso.example',
    'contoso.example',
  ])('of %s does not', async (email) => {
    const test = await start({ verifiedDomains: ['contoso.example', 'kontoso.example'] })
    change(test, { xms_edov: undefined, email })
    const headers = await headersOf(test)
    expect(headers['x-forwarded-email']).toBe('')
    expect(headers['x-forwarded-user']).toMatch(/^u_/)
  })

  it('is never the user name, which people without an e-mail have, too', async () => {
    const test = await start({}, { emails: ['ann@contoso.example'], users: ['ann'] })
    change(test, { email: undefined, xms_edov: undefined })
    expect((await signIn(test)).statusCode).toBe(403)
  })

  it('that is no text ends the sign-in', async () => {
    const test = await start()
    change(test, { email: ['ann@contoso.example'] })
    expect(await failureOf(test)).toBe('the claim email is not a string')
  })
})

describe('the tenant', () => {
  it('is one of several, and its people are sent to the authority for organisations', async () => {
    const test = await startForTwo()
    const ann = await headersOf(test)
    test.entra.tenant = FABRIKAM
    const other = await headersOf(test)
    expect(test.entra.asked[0]?.pathname).toBe('/organizations/oauth2/v2.0/authorize')
    expect(ann['x-forwarded-groups']).toBe(`${CONTOSO}/${STAFF}`)
    expect(other['x-forwarded-groups']).toBe(`${FABRIKAM}/${STAFF}`)
    // T39: the same object id in another tenant is another person.
    expect(other['x-user-id']).not.toBe(ann['x-user-id'])
  })

  it('knows the same person whether it is listed alone or among others', async () => {
    const test = await start()
    const alone = await headersOf(test)
    const { provider } = test.config
    if (provider.type !== 'entra') throw new Error('not Entra')
    const both = await test.restart({
      provider: {
        ...provider,
        tenants: [CONTOSO, FABRIKAM],
        issuerUrl: `${test.entra.base}/organizations/v2.0`,
      },
    })
    const among = await headersOf({ ...both, entra: test.entra })
    expect(among['x-user-id']).toBe(alone['x-user-id'])
  })

  it.each([
    ['among others', startForTwo],
    ['alone', () => start()],
  ])('that is not listed keeps its people out, where one is listed %s', async (_how, begin) => {
    const test = await begin()
    test.entra.tenant = '11111111-2222-3333-4444-555555555555'
    const answer = await signIn(test)
    expect(answer.statusCode).toBeGreaterThanOrEqual(400)
    expect(answer.headers.location).toBeUndefined()
  })

  it.each<[string, Record<string, unknown>]>([
    ['another tenant than the issuer', { tid: FABRIKAM }],
    ['no tenant', { tid: undefined }],
    ['a list of tenants', { tid: [CONTOSO] }],
    ['an issuer that is the placeholder', { iss: 'TEMPLATE' }],
    ['an issuer elsewhere', { iss: `https://evil.example/${CONTOSO}/v2.0` }],
    ['an issuer that goes on', { iss: 'MORE' }],
  ])('is believed of no token with %s', async (_what, claims) => {
    const test = await startForTwo()
    const { base } = test.entra
    change(test, {
      ...claims,
      ...(claims.iss === 'TEMPLATE' && { iss: `${base}/{tenantid}/v2.0`, tid: '{tenantid}' }),
      ...(claims.iss === 'MORE' && { iss: `${base}/${CONTOSO}/v2.0/x` }),
    })
    const answer = await signIn(test)
    expect(answer.statusCode).toBeGreaterThanOrEqual(400)
    expect(answer.headers.location).toBeUndefined()
    expect(test.logs.some(isFailedSignIn)).toBe(true)
  })

  it.each([
    ['private accounts of Microsoft', '9188040d-6c67-4c5b-b112-36a304b66dad', false],
    ['all tenants', '{tenantid}', true],
    ['a listed tenant', CONTOSO, true],
    ['another listed tenant', FABRIKAM, false],
  ])(
    'T34: is not signed for by a key for %s, unless that is its own',
    async (_whose, of, works) => {
      const test = await startForTwo()
      test.entra.keyIssuer = `${test.entra.base}/${of}/v2.0`
      expect(String((await signIn(test)).headers.location).includes('code=')).toBe(works)
    },
  )

  it('is told to the person when it is another one', async () => {
    const test = await startForTwo()
    change(test, { tid: FABRIKAM })
    const page = await signIn(test)
    expect(page.statusCode).toBe(403)
    expect(page.body).toContain('Sign in with your work account')
  })
})

describe('groups of Entra', () => {
  const OVERAGE = {
    groups: undefined,
    _claim_names: { groups: 'src1' },
    _claim_sources: { src1: { endpoint: 'http://127.0.0.1:1/steals/the/token' } },
  }

  it('come with app roles, which no group can imitate', async () => {
    const test = await start()
    change(test, { groups: [STAFF, 'role:admin'], roles: ['reader'] })
    expect((await headersOf(test))['x-forwarded-groups']).toBe(`role:reader,${STAFF}`)
    expect(test.logs.find(({ event }) => event === 'provider-odd')?.reason).toMatch(/role:/)
  })

  it.each<[string, Partial<AllowList>, boolean]>([
    ['a group by id', { groups: [STAFF] }, true],
    ['a role', { groups: ['role:reader'] }, true],
    ['the name of a role', { groups: ['reader'] }, false],
    ['another group', { groups: [COOKS] }, false],
  ])('let people in by %s', async (_what, allow, passes) => {
    const test = await start({}, allow)
    change(test, { roles: ['reader'] })
    expect(String((await signIn(test)).headers.location).includes('code=')).toBe(passes)
  })

  it.each<[string, Record<string, unknown>]>([
    ['_claim_names', OVERAGE],
    ['hasgroups', { groups: undefined, hasgroups: true }],
  ])(
    'that did not fit are read from Graph, as %s tells, as far as lists name them',
    async (_how, claims) => {
      const test = await start({ namedGroups: [COOKS] }, { groups: [COOKS] })
      test.entra.members = [...Array.from({ length: 900 }, (_, at) => id(at)), COOKS]
      change(test, claims)
      expect((await headersOf(test))['x-forwarded-groups']).toBe(COOKS)
      expect(test.entra.graphCalls).toEqual([
        'POST /v1.0/me/getMemberObjects {"securityEnabledOnly":false}',
      ])
    },
  )

  it('that did not fit are those of the tenant, where several are listed', async () => {
    const entra = await startEntra()
    const named = `${FABRIKAM}/${COOKS}`
    const test = await buildTestApp({
      provider: {
        ...entra.config,
        tenants: [CONTOSO, FABRIKAM],
        issuerUrl: `${entra.base}/organizations/v2.0`,
        namedGroups: [named],
      },
      users: [],
      resources: [resource({ allow: { ...NOBODY, groups: [named] } })],
    })
    entra.members = [COOKS]
    Object.assign(entra.person, OVERAGE)
    expect((await signIn({ ...test, entra })).statusCode).toBe(403)
    entra.tenant = FABRIKAM
    expect((await headersOf({ ...test, entra }))['x-forwarded-groups']).toBe(named)
  })

  it('are asked for nowhere else than at Graph', async () => {
    const test = await start({ namedGroups: [STAFF] })
    change(test, OVERAGE)
    test.entra.members = [STAFF]
    expect((await headersOf(test))['x-forwarded-groups']).toBe(STAFF)
  })

  it('that Graph does not list end the sign-in, and the log says what to grant', async () => {
    const test = await start()
    test.entra.mayListMembers = false
    change(test, OVERAGE)
    const page = await signIn(test)
    expect(page.body).toContain('too many groups')
    expect(test.logs.find(isFailedSignIn)?.reason).toMatch(
      /Graph answered 403 \(Authorization_RequestDenied\): add GroupMember\.Read\.All/,
    )
    expect(JSON.stringify(test.logs)).not.toContain('Insufficient privileges')
  })

  it.each<[string, unknown, RegExp]>([
    ['a page', '<html>', /cannot be read/],
    ['no list', { value: 'x' }, /cannot be read/],
    ['a list of numbers', { value: [1] }, /cannot be read/],
    [
      'a first page',
      { value: [STAFF], '@odata.nextLink': 'https://evil.example/' },
      /cannot be read/,
    ],
    ['no end of bytes', ' '.repeat(1024 * 1024 + 1), /more than 1048576 bytes/],
  ])('are not read from %s', async (_what, body, reason) => {
    const test = await start({ namedGroups: [STAFF] })
    change(test, OVERAGE)
    test.entra.answer = (request, response) => {
      if (request.url !== '/v1.0/me/getMemberObjects') return false
      says(body)(response)
      return true
    }
    expect(await failureOf(test)).toMatch(reason)
  })

  it.each([429, 503])('are an outage when Graph answers %d', async (status) => {
    const test = await start()
    change(test, OVERAGE)
    test.entra.answer = (request, response) => {
      if (request.url !== '/v1.0/me/getMemberObjects') return false
      says({}, status)(response)
      return true
    }
    expect((await signIn(test)).statusCode).toBe(503)
  })
})

const id = (at: number) => `00000000-0000-0000-0000-${String(at).padStart(12, '0')}`

import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import type { AllowList } from '../../src/resources/policy.ts'
import { createBrowser, refreshTarget } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { type GithubStandIn, octoAnn, startGithub } from '../support/github-stand-in.ts'
import { authorizeUrl, check, codeOf, redeem, register } from '../support/oauth-client.ts'
import { approve, isFailedSignIn, UNTRUSTED_REDIRECT } from '../support/provider-journey.ts'

interface WithGithub extends TestApp {
  readonly github: GithubStandIn
}

const NOBODY: AllowList = { anyone: false, emails: [], domains: [], groups: [] }

async function start(
  allow: Partial<AllowList> = ANYONE,
  changes: Partial<GithubStandIn['config']> = {},
  config: Partial<Config> = {},
): Promise<WithGithub> {
  const github = await startGithub()
  const test = await buildTestApp({
    provider: { ...github.config, ...changes },
    users: [],
    resources: [resource({ allow: { ...NOBODY, ...allow } })],
    ...config,
  })
  return { ...test, github }
}

/** Goes the whole way, up to our answer to the person who came back. */
async function signIn(test: WithGithub, browser = createBrowser(test.app)) {
  const client = await register(test.app, { redirect_uris: [UNTRUSTED_REDIRECT] })
  const approved = await approve(
    browser,
    authorizeUrl(client, { redirect_uri: UNTRUSTED_REDIRECT }),
  )
  return browser.get(await test.github.signIn(refreshTarget(approved.body)))
}

/** The identity that a server is told of the person who signs in. */
async function headersOf(test: WithGithub) {
  const browser = createBrowser(test.app)
  const client = await register(test.app)
  const approved = await approve(browser, authorizeUrl(client))
  const back = await test.github.signIn(refreshTarget(approved.body))
  const answer = await redeem(test.app, client, codeOf(await browser.get(back)))
  const { access_token } = answer.json()
  return (await check(test.app, { authorization: `Bearer ${access_token}` })).headers
}

/** The reason in the log of a sign-in that must fail. */
async function failureOf(test: WithGithub): Promise<unknown> {
  const answer = await signIn(test)
  expect(answer.statusCode).toBeGreaterThanOrEqual(400)
  return test.logs.find(isFailedSignIn)?.reason
}

const oddities = ({ logs }: TestApp) =>
  logs.filter(({ event }) => event === 'provider-odd').map(({ reason }) => String(reason))

/** Answers one path of GitHub otherwise. */
function at(path: string, answer: (response: ServerResponse) => void) {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (new URL(request.url ?? '/', 'http://x').pathname !== path) return false
    answer(response)
    return true
  }
}
const says =
  (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response
      .writeHead(status, headers)
      .end(typeof body === 'string' ? body : JSON.stringify(body))

describe('a person with a GitHub account', () => {
  it('signs in with the verified primary e-mail, organisations and teams', async () => {
    const test = await start()
    expect(await headersOf(test)).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-email': 'ann@example.com',
      'x-user-name': 'Ann Adams',
      'x-forwarded-groups': 'acme,acme/backend',
    })
  })

  it('is sent to GitHub with state and PKCE, and only the token request has the secret', async () => {
    const test = await start()
    const client = await register(test.app)
    const approved = await approve(createBrowser(test.app), authorizeUrl(client))
    const sent = new URL(refreshTarget(approved.body))
    expect(sent.origin + sent.pathname).toBe(`${test.github.site}/login/oauth/authorize`)
    const { state, code_challenge: challenge, ...rest } = Object.fromEntries(sent.searchParams)
    expect(rest).toEqual({
      client_id: test.github.config.clientId,
      redirect_uri: 'https://auth.example.com/callback',
      scope: 'user:email read:org',
      code_challenge_method: 'S256',
    })
    expect(challenge).toMatch(/^[\w-]{43}$/)
    expect(state?.length).toBeGreaterThan(100)
  })

  it('is the same after the login was renamed, and after the e-mail changed', async () => {
    const test = await start()
    const before = await headersOf(test)
    test.github.account.login = 'somebody-new'
    test.github.account.emails = [{ email: 'ann@new.example', primary: true, verified: true }]
    const after = await headersOf(test)
    expect(after['x-user-id']).toBe(before['x-user-id'])
    expect(after['x-forwarded-email']).toBe('ann@new.example')
  })

  it('is another one than the account that took the login over', async () => {
    const test = await start()
    const before = await headersOf(test)
    test.github.account.id = 583_232
    expect((await headersOf(test))['x-user-id']).not.toBe(before['x-user-id'])
  })

  it('T39: is another one than the account of the same number at another GitHub', async () => {
    const test = await start()
    const other = await startGithub()
    const there = await test.restart({ provider: other.config })
    const [here, elsewhere] = [await headersOf(test), await headersOf({ ...there, github: other })]
    expect(elsewhere['x-user-id']).not.toBe(here['x-user-id'])
  })

  it.each([
    [
      'whose primary address is not verified',
      [{ email: 'a@b.example', primary: true, verified: false }],
    ],
    ['who has no address', []],
    ['who has no primary address', [{ email: 'a@b.example', primary: false, verified: true }]],
  ])('%s has no e-mail, and the public one counts for nothing', async (_who, emails) => {
    const test = await start()
    test.github.account.emails = emails
    const headers = await headersOf(test)
    expect(headers['x-forwarded-email']).toBe('')
    expect(headers['x-forwarded-user']).toMatch(/^u_/)
  })

  it('T39: has no user name that stands for the person at a server, for it may be renamed', async () => {
    const test = await start()
    test.github.account.emails = []
    test.github.account.login = 'root'
    expect((await headersOf(test))['x-forwarded-user']).toMatch(/^u_/)
  })

  it('leaves no trace of code, token and secret in the log', async () => {
    const test = await start({ emails: ['bob@example.com'] })
    await signIn(test)
    const [form] = test.github.redeemed
    const token = String(test.github.calls[0]?.headers.authorization).replace('Bearer ', '')
    expect(token).toMatch(/^gho_/)
    const logged = JSON.stringify(test.logs)
    for (const secret of [
      token,
      form?.get('code'),
      form?.get('code_verifier'),
      form?.get('client_secret'),
    ]) {
      expect(logged).not.toContain(secret)
    }
  })

  it('chooses an account to sign in as somebody else', async () => {
    const test = await start({ emails: ['bob@example.com'] })
    const browser = createBrowser(test.app)
    const refused = await signIn(test, browser)
    expect(refused.statusCode).toBe(403)
    const again = /href="([^"]*prompt=select_account[^"]*)"/.exec(refused.body)?.[1] ?? ''
    test.github.account.emails = [{ email: 'bob@example.com', primary: true, verified: true }]
    const back = await test.github.signIn(again.replaceAll('&amp;', '&'))
    expect((await browser.get(back)).headers.location).toContain('code=')
  })
})

describe('who may pass with GitHub', () => {
  const passes = async (test: WithGithub) =>
    String((await signIn(test)).headers.location).includes('code=')

  it.each<[string, Partial<AllowList>]>([
    ['the login in any case', { users: ['octoann'] }],
    ['an organisation', { groups: ['acme'] }],
    ['a team', { groups: ['acme/backend'] }],
    ['the e-mail', { emails: ['ann@example.com'] }],
  ])('%s lets the person in', async (_what, allow) => {
    expect(await passes(await start(allow))).toBe(true)
  })

  it.each<[string, Partial<AllowList>]>([
    ['another login', { users: ['octoanna'] }],
    ['another organisation', { groups: ['acm'] }],
    ['another team', { groups: ['acme/frontend'] }],
    ['the team of another organisation', { groups: ['other/backend'] }],
    ['the public e-mail', { emails: ['boss@example.com'] }],
    ['a second address', { emails: ['ann@private.example'] }],
    ['a login that is the name of an organisation', { users: ['acme'] }],
    ['an organisation that is the name of a login', { groups: ['octoann'] }],
  ])('%s does not', async (_what, allow) => {
    expect((await signIn(await start(allow))).statusCode).toBe(403)
  })

  it('a person who left the organisation does not come in again', async () => {
    const test = await start({ groups: ['acme'] })
    expect(await passes(test)).toBe(true)
    test.github.account.organisations = []
    test.github.account.teams = []
    expect((await signIn(test)).statusCode).toBe(403)
  })

  it('a renamed person does not come in under the former login', async () => {
    const test = await start({ users: ['octoann'] })
    expect(await passes(test)).toBe(true)
    test.github.account.login = 'renamed'
    expect((await signIn(test)).statusCode).toBe(403)
  })

  it('only organisations that are listed are told to servers', async () => {
    const test = await start(ANYONE, { organisations: ['acme'] })
    test.github.account.organisations = ['Acme', 'secret-employer']
    test.github.account.teams = ['secret-employer/merger', 'ACME/Backend']
    expect((await headersOf(test))['x-forwarded-groups']).toBe('acme,acme/backend')
  })

  it('names that only organisations elsewhere have keep nobody out', async () => {
    const test = await start({ groups: ['acme'] }, { organisations: ['acme'] })
    test.github.account.organisations = ['-old-name', 'über', 'acme']
    test.github.account.teams = ['über/équipe', 'elsewhere/équipe', 'acme/backend']
    expect((await headersOf(test))['x-forwarded-groups']).toBe('acme,acme/backend')
  })

  it('a team of a listed organisation with a name that GitHub does not give is left out', async () => {
    const test = await start({ groups: ['acme'] }, { organisations: ['acme'] })
    test.github.account.teams = ['acme/a,b', 'acme/frontend']
    expect((await headersOf(test))['x-forwarded-groups']).toBe('acme,acme/frontend')
    expect(test.logs.filter(({ event }) => event === 'provider-odd').length).toBe(1)
  })

  it.each([['user:email'], ['user:email', 'read:org']])(
    'security review 11: without a list of organisations they are not asked for, with %s %s',
    async (...scopes) => {
      const test = await start(ANYONE, { scopes, organisations: [] })
      expect((await headersOf(test))['x-forwarded-groups']).toBe('')
      expect(test.github.calls.map(({ url }) => url.replace(/\?.*/, '')).toSorted()).toEqual([
        '/user',
        '/user/emails',
      ])
    },
  )
})

describe('the lists of GitHub', () => {
  it('are read over all their pages', async () => {
    const organisations = ['a', 'b', 'c', 'd', 'e']
    const test = await start(ANYONE, { organisations: [...organisations, 'acme'] })
    test.github.pageSize = 2
    test.github.account.organisations = organisations
    test.github.account.emails.unshift(
      { email: 'x@example.com', primary: false, verified: true },
      { email: 'y@example.com', primary: false, verified: true },
    )
    const headers = await headersOf(test)
    expect(headers['x-forwarded-groups']).toBe('a,b,c,d,e,acme/backend')
    expect(headers['x-forwarded-email']).toBe('ann@example.com')
  })

  it('are given up when their pages do not end', async () => {
    const test = await start()
    test.github.answer = at('/user/orgs', (response) =>
      says([{ login: 'acme' }], 200, { link: '</user/orgs?page=2>; rel="next"' })(response),
    )
    expect(await failureOf(test)).toBe('/user/orgs has more than 1000 entries')
    expect(test.github.calls.filter(({ url }) => url.startsWith('/user/orgs'))).toHaveLength(10)
  })

  it.each(['https://evil.example/user/orgs?page=2', 'http://127.0.0.1:1/user/orgs', 'http://'])(
    'do not take the token to %s',
    async (next) => {
      const test = await start()
      test.github.answer = at('/user/orgs', says([], 200, { link: `<${next}>; rel="next"` }))
      expect(await failureOf(test)).toBe('the next page of /user/orgs is at another origin')
    },
  )

  it('tell the log of organisations behind SAML, which count as no group', async () => {
    const test = await start()
    test.github.apiHeaders = {
      'x-github-sso':
        'partial-results; organizations=21955855,20582480; url=https://github.com/orgs/7',
    }
    await headersOf(test)
    expect(oddities(test)).toEqual([
      'GitHub hides 2 organisations of the person until they sign in there (SAML): they count as no group',
    ])
  })

  it('are empty, and the log says so, where the person did not grant read:org', async () => {
    const test = await start({ groups: ['acme'] })
    test.github.answer = at('/user/orgs', (response) =>
      says({ message: 'no' }, 403, {
        'x-oauth-scopes': 'user:email',
        'x-accepted-oauth-scopes': 'admin:org, read:org',
      })(response),
    )
    expect((await signIn(test)).statusCode).toBe(403)
    expect(oddities(test)).toEqual([
      'GitHub does not show /user/orgs (403): the token has the scopes: user:email, and needs one of: admin:org, read:org; the person counts as no member',
    ])
  })

  it('of e-mails ends the sign-in where it is refused: the person would pass for another', async () => {
    const test = await start(ANYONE, { scopes: ['read:org'] })
    expect(await failureOf(test)).toBe(
      'GitHub does not show /user/emails (404): the token has the scopes: read:org, and needs one of: user:email',
    )
  })

  it('with more groups than a header takes is told to the person', async () => {
    const organisations = Array.from({ length: 201 }, (_, at) => `org-${at}`)
    const test = await start(ANYONE, { organisations })
    test.github.account.organisations = organisations
    const page = await signIn(test)
    expect(page.body).toContain('too many groups')
  })
})

describe('an answer of GitHub that is no good', () => {
  it.each<[string, unknown]>([
    ['a string', '583231'],
    ['a fraction', 583_231.5],
    ['beyond exact numbers', 2 ** 60],
    ['zero', 0],
    ['negative', -1],
    ['missing', undefined],
    ['null', null],
    ['a list', [583_231]],
  ])('names nobody: the id is %s', async (_what, id) => {
    const test = await start()
    test.github.account = { ...octoAnn(), id }
    expect(await failureOf(test)).toBe("GitHub's answer to /user cannot be read (id)")
  })

  it.each(['', 'a b', 'acme/backend', 'ann@example.com', 'ánn', '-ann'])(
    'names nobody: the login is %j',
    async (login) => {
      const test = await start()
      test.github.account.login = login
      expect(await failureOf(test)).toBe("GitHub's answer to /user cannot be read (login)")
    },
  )

  it.each<[string, unknown, string]>([
    [
      'two primary addresses',
      [PRIMARY('a@x.example'), PRIMARY('b@x.example')],
      '/user/emails names two primary addresses',
    ],
    [
      'verified as a text',
      [{ email: 'a@x.example', primary: true, verified: 'true' }],
      "GitHub's answer to /user/emails cannot be read (verified)",
    ],
    [
      'an address that is a number',
      [{ email: 7, primary: true, verified: true }],
      "GitHub's answer to /user/emails cannot be read (email)",
    ],
    ['no list', { email: 'a@x.example' }, '/user/emails is not a list'],
  ])('vouches for no e-mail: %s', async (_what, body, reason) => {
    const test = await start()
    test.github.answer = at('/user/emails', says(body))
    expect(await failureOf(test)).toBe(reason)
  })

  it('vouches for no e-mail: an address with two @', async () => {
    const test = await start({ domains: ['example.com'] })
    test.github.answer = at('/user/emails', says([PRIMARY('a@evil.test@example.com')]))
    expect((await signIn(test)).statusCode).toBe(403)
  })

  it.each(['/user', '/user/emails', '/user/orgs', '/user/teams'])(
    'ends the sign-in: %s is not JSON, a page of a redirect, or no end of bytes',
    async (path) => {
      for (const [answer, reason] of [
        [says('<html>'), /is not JSON/],
        [says({}, 302, { location: 'https://evil.example/' }), /answered 302/],
        [says({}, 401), /answered 401/],
        [says(' '.repeat(1024 * 1024 + 1)), /more than 1048576 bytes/],
      ] as const) {
        const test = await start()
        test.github.answer = at(path, answer)
        expect(await failureOf(test)).toMatch(reason)
      }
    },
  )

  it.each<[string, number, Record<string, string>, string]>([
    ['the primary limit', 403, { 'x-ratelimit-remaining': '0' }, '{}'],
    ['a secondary limit', 403, { 'retry-after': '60' }, '{}'],
    [
      'a secondary limit in words',
      403,
      {},
      '{"message":"You have exceeded a secondary rate limit"}',
    ],
    ['429', 429, {}, '{}'],
    ['a breakdown', 502, {}, '<html>'],
  ])('is an outage, not a refusal: %s', async (_what, status, headers, body) => {
    const test = await start()
    test.github.answer = at('/user/orgs', says(body, status, headers))
    const answer = await signIn(test)
    expect(answer.statusCode).toBe(503)
    expect(answer.body).toContain('The sign-in service does not answer')
  })

  it('is an outage when it does not come', async () => {
    const test = await start()
    test.github.answer = at('/user', (response) => response.destroy())
    expect((await signIn(test)).statusCode).toBe(503)
  })

  it('is waited for, but not for ever', { timeout: 20_000 }, async () => {
    const test = await start()
    test.github.answer = at('/user/teams', () => undefined)
    expect((await signIn(test)).statusCode).toBe(503)
    expect(test.logs.find(isFailedSignIn)?.reason).toMatch(/did not answer within 5 s/)
  })
})

describe('the answer to the code', () => {
  const withAnswer = async (answer: (response: ServerResponse) => void) => {
    const test = await start()
    test.github.answer = at('/login/oauth/access_token', answer)
    const reason = await failureOf(test)
    expect(test.github.calls).toEqual([])
    return reason
  }

  it.each<[string, unknown, number]>([
    ['form-encoded', 'access_token=gho_x&scope=user%3Aemail&token_type=bearer', 200],
    ['a page', '<html>', 200],
    ['without a token', { token_type: 'bearer' }, 200],
    ['with a token that is no text', { access_token: 7, token_type: 'bearer' }, 200],
    ['with a token of several lines', { access_token: 'a\r\nb', token_type: 'bearer' }, 200],
    ['with another kind of token', { access_token: 'gho_x', token_type: 'mac' }, 200],
    ['a token, but no success', { access_token: 'gho_x', token_type: 'bearer' }, 400],
  ])('is refused when it is %s', async (_what, body, status) => {
    expect(await withAnswer(says(body, status))).toBe(
      `GitHub's answer to the code cannot be read (${status})`,
    )
  })

  it.each([{}, { access_token: 'gho_x', token_type: 'bearer' }])(
    'is an error when it is 200 and says so, beside %j',
    async (more) => {
      const body = {
        ...more,
        error: 'bad_verification_code',
        error_description: 'incorrect or expired',
      }
      expect(await withAnswer(says(body))).toBe(
        'the provider refused the code: bad_verification_code, incorrect or expired',
      )
    },
  )

  it('is an error when our secret is wrong, which the log does not show', async () => {
    const test = await start(ANYONE, { clientSecret: 'a-wrong-secret-of-the-client' })
    expect(await failureOf(test)).toMatch(/^the provider refused the code: incorrect_client_cred/)
    expect(JSON.stringify(test.logs)).not.toContain('a-wrong-secret')
  })

  it('is asked for once, however often the browser comes back', async () => {
    const test = await start()
    const browser = createBrowser(test.app)
    const client = await register(test.app)
    const approved = await approve(browser, authorizeUrl(client))
    const back = await test.github.signIn(refreshTarget(approved.body))
    await Promise.all([browser.get(back), browser.get(back), browser.get(back)])
    expect(test.github.redeemed).toHaveLength(1)
  })
})

describe('the way back from GitHub', () => {
  const comesBack = async (change: (query: URLSearchParams) => void) => {
    const test = await start()
    const browser = createBrowser(test.app)
    const client = await register(test.app, { redirect_uris: [UNTRUSTED_REDIRECT] })
    const url = authorizeUrl(client, { redirect_uri: UNTRUSTED_REDIRECT })
    const back = new URL(
      await test.github.signIn(refreshTarget((await approve(browser, url)).body)),
    )
    change(back.searchParams)
    const answer = await browser.get(back.href)
    expect(test.github.redeemed).toEqual([])
    return { answer, reason: test.logs.find(isFailedSignIn)?.reason }
  }

  it('with access_denied is told as a refusal', async () => {
    const { answer, reason } = await comesBack((query) => {
      query.delete('code')
      query.set('error', 'access_denied')
      query.set('error_description', 'The user has denied your application access.')
    })
    expect(answer.body).toContain('You did not sign in')
    expect(reason).toContain('access_denied, The user has denied')
  })

  it('without a code, or with two, redeems nothing', async () => {
    const none = await comesBack((query) => query.delete('code'))
    const two = await comesBack((query) => query.append('code', 'another'))
    expect(none.reason).toBe('the provider sent the person back without a code')
    expect(two.reason).toBe('the provider sent the person back without a code')
  })

  it('T11: with the state of another sign-in redeems nothing', async () => {
    const { answer } = await comesBack((query) => query.set('state', 'x'.repeat(200)))
    expect(answer.statusCode).toBeGreaterThanOrEqual(400)
  })
})

function PRIMARY(email: string) {
  return { email, primary: true, verified: true }
}

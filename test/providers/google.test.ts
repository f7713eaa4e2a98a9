import { afterEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { type Browser, createBrowser, refreshTarget } from '../support/browser.ts'
import { ANYONE, buildTestApp, createClock, resource, type TestApp } from '../support/build-app.ts'
import {
  ANN,
  EVE,
  GOOGLE_CLIENT,
  type GoogleAccount,
  type GoogleStandIn,
  googleProvider,
  OTTO,
  startGoogle,
  UMA,
} from '../support/google-stand-in.ts'
import { authorizeUrl, check, codeOf, redeem, register } from '../support/oauth-client.ts'
import { approve, isFailedSignIn, UNTRUSTED_REDIRECT } from '../support/provider-journey.ts'

const running: GoogleStandIn[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((google) => google.stop()))
})

interface WithGoogle extends TestApp {
  readonly google: GoogleStandIn
}

async function start(
  hostedDomains: readonly string[] = [],
  changes: Partial<Config> = {},
): Promise<WithGoogle> {
  const clock = createClock()
  const google = await startGoogle({
    now: clock,
    redirectUris: ['https://auth.example.com/callback'],
  })
  running.push(google)
  const test = await buildTestApp(
    {
      provider: googleProvider(google, { hostedDomains }),
      users: [],
      resources: [resource({ acceptProviderTokens: true, allow: ANYONE })],
      ...changes,
    },
    { clock },
  )
  return { ...test, google }
}

/** The address at Google that a person is sent to. */
async function sentTo(test: WithGoogle, browser: Browser, trusted = true): Promise<string> {
  const client = await register(test.app, trusted ? {} : { redirect_uris: [UNTRUSTED_REDIRECT] })
  const url = authorizeUrl(client, trusted ? {} : { redirect_uri: UNTRUSTED_REDIRECT })
  return refreshTarget((await approve(browser, url)).body)
}

async function signIn(test: WithGoogle, account: GoogleAccount, trusted = true) {
  const browser = createBrowser(test.app)
  const at = await sentTo(test, browser, trusted)
  return browser.get(await test.google.choose(at, account))
}

/** The identity that a server is told of a person who signs in. */
async function headersOf(test: WithGoogle, account: GoogleAccount) {
  const browser = createBrowser(test.app)
  const client = await register(test.app)
  const approved = await approve(browser, authorizeUrl(client))
  const back = await test.google.choose(refreshTarget(approved.body), account)
  const answer = await redeem(test.app, client, codeOf(await browser.get(back)))
  const { access_token } = answer.json()
  return (await check(test.app, { authorization: `Bearer ${access_token}` })).headers
}

const bring = (test: TestApp, token: string) =>
  check(test.app, { authorization: `Bearer ${token}` })

describe('a person with a Google account', () => {
  it('signs in', async () => {
    const test = await start()
    expect(await headersOf(test, ANN)).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-email': 'ann@example.com',
      'x-user-name': 'Ann Adams',
      'x-forwarded-groups': '',
    })
  })

  it('is known by the ID token alone', async () => {
    const test = await start()
    test.google.claims = { email: undefined }
    expect((await headersOf(test, ANN))['x-forwarded-email']).toBe('')
    expect(test.google.requests.filter((line) => line.includes('userinfo'))).toEqual([])
  })

  it('has an e-mail only when Google verified it', async () => {
    const headers = await headersOf(await start(), UMA)
    expect(headers['x-forwarded-email']).toBe('')
    expect(headers['x-forwarded-user']).toMatch(/^u_/)
  })

  it('is the same whether Google spells its issuer with a scheme or without', async () => {
    const test = await start()
    const spelled = await headersOf(test, ANN)
    test.google.bareIssuer = true
    const bare = await headersOf(test, ANN)
    expect(bare['x-forwarded-user']).toBe('ann@example.com')
    expect(bare['x-user-id']).toBe(spelled['x-user-id'])
  })

  it.each(['https://evil.example', 'evil.example', 'accounts.google.com.evil.example', ''])(
    'of the issuer %j is nobody',
    async (iss) => {
      const test = await start()
      test.google.claims = { iss }
      const answer = await signIn(test, ANN)
      expect(String(answer.headers.location)).toContain('error=server_error')
    },
  )

  it('T34: needs a signature of Google, however the issuer is spelled', async () => {
    const test = await start()
    test.google.bareIssuer = true
    const browser = createBrowser(test.app)
    const back = await test.google.choose(await sentTo(test, browser), ANN)
    test.google.answer = (request, response) => {
      if (request.url !== '/oauth2/v3/certs') return false
      response.writeHead(200, JSON_TYPE).end('{"keys":[]}')
      return true
    }
    const answer = await browser.get(back)
    expect(String(answer.headers.location)).toContain('error=server_error')
  })

  it('chooses an account to sign in as somebody else, for Google knows no other way', async () => {
    const test = await start([], {
      resources: [
        resource({ allow: { anyone: false, emails: [ANN.email], domains: [], groups: [] } }),
      ],
    })
    const browser = createBrowser(test.app)
    const refused = await browser.get(await test.google.choose(await sentTo(test, browser), OTTO))
    expect(refused.statusCode).toBe(403)
    const again = /href="([^"]*prompt=select_account[^"]*)"/.exec(refused.body)?.[1] ?? ''
    const back = await test.google.choose(again.replaceAll('&amp;', '&'), ANN)
    codeOf(await browser.get(back))
  })
})

const JSON_TYPE = { 'content-type': 'application/json' }

describe('the hosted domain', () => {
  const hdSent = async (domains: readonly string[]) => {
    const test = await start(domains)
    return new URL(await sentTo(test, createBrowser(test.app))).searchParams.get('hd')
  }

  it('is told to Google, so that people choose among the right accounts', async () => {
    expect(await hdSent([])).toBe(null)
    expect(await hdSent(['example.com'])).toBe('example.com')
    expect(await hdSent(['example.com', 'other.example'])).toBe('*')
  })

  it.each([
    ['one of the domain', ['example.com'], ANN],
    ['one of the second domain', ['example.com', 'other.example'], OTTO],
  ])('lets in %s', async (_who, domains, account) => {
    codeOf(await signIn(await start(domains), account))
  })

  it.each([
    ['one of another organisation', OTTO, 'another organisation'],
    ['one whose address is of the domain, but whose account is not', EVE, 'no organisation'],
  ])('keeps out %s', async (_who, account, whose) => {
    const test = await start(['example.com'])
    const page = await signIn(test, account, false)
    expect(page.statusCode).toBe(403)
    expect(page.body).toContain('Sign in with your work account')
    expect(page.body).toContain('Only accounts of certain organisations may use this server')
    expect(page.body).toContain('Try again')
    expect(test.logs.find(isFailedSignIn)).toMatchObject({
      reason: `the account is managed by ${whose}; GOOGLE_HOSTED_DOMAIN is example.com`,
    })
    const client = await signIn(test, account)
    expect(String(client.headers.location)).toContain('error=access_denied')
  })

  it.each([[['example.com']], [{ 0: 'example.com' }], [true], ['example.com.evil.test'], ['']])(
    'is not %j',
    async (hd) => {
      const test = await start(['example.com'])
      test.google.claims = { hd }
      expect((await signIn(test, ANN, false)).statusCode).toBe(403)
    },
  )

  it('is compared without regard to case', async () => {
    const test = await start(['example.com'])
    test.google.claims = { hd: 'Example.COM' }
    codeOf(await signIn(test, ANN))
  })

  it('counts for an account of no domain when one was there at the first login', async () => {
    const test = await start(['example.com'])
    codeOf(await signIn(test, ANN))
    test.google.claims = { hd: undefined }
    expect((await signIn(test, ANN, false)).statusCode).toBe(403)
  })
})

describe("Google's own access token", () => {
  it('opens a server that accepts it, under the same id as a login', async () => {
    const test = await start()
    const answer = await bring(test, test.google.issue(ANN))
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-scopes': '',
    })
    expect(answer.headers['x-user-id']).toBe((await headersOf(test, ANN))['x-user-id'])
  })

  it('never stands in an address', async () => {
    const test = await start(['example.com'])
    const token = test.google.issue(ANN)
    expect((await bring(test, token)).statusCode).toBe(200)
    expect(test.google.requests).toContain('POST /tokeninfo')
    expect(test.google.requests).toContain('GET /v1/userinfo')
    expect(test.google.requests.join()).not.toContain('ya29')
    expect(JSON.stringify(test.logs)).not.toContain('ya29')
  })

  it('T8: is refused when it was issued to another application', async () => {
    const test = await start()
    const token = test.google.issue(ANN, { client: 'another.apps.googleusercontent.com' })
    expect((await bring(test, token)).statusCode).toBe(401)
  })

  it('is good from an application that is configured', async () => {
    const test = await start()
    const client = 'old.apps.googleusercontent.com'
    const { provider } = test.config
    if (provider.type !== 'google') throw new Error('not Google')
    const again = await test.restart({ provider: { ...provider, tokenClients: [client] } })
    expect((await bring(again, test.google.issue(ANN, { client }))).statusCode).toBe(200)
  })

  it('vouches for no e-mail that is not verified, and for none it may not see', async () => {
    const test = await start()
    for (const token of [test.google.issue(UMA), test.google.issue(ANN, { scope: 'openid' })]) {
      const answer = await bring(test, token)
      expect(answer.statusCode).toBe(200)
      expect(answer.headers['x-forwarded-email']).toBe('')
    }
  })

  it.each([
    ['another organisation', OTTO],
    ['nobody but the person', EVE],
  ])('is refused when its account is managed by %s', async (_whose, account) => {
    const test = await start(['example.com'])
    expect((await bring(test, test.google.issue(account))).statusCode).toBe(401)
    expect((await bring(test, test.google.issue(ANN))).statusCode).toBe(200)
  })

  it('ends a minute after it was revoked, and with its time', async () => {
    const test = await start()
    const [revoked, short] = [test.google.issue(ANN), test.google.issue(ANN, { lifetime: 10 })]
    expect((await bring(test, revoked)).statusCode).toBe(200)
    expect((await bring(test, short)).statusCode).toBe(200)
    test.google.revoke(revoked)
    test.clock.advance(10)
    expect((await bring(test, short)).statusCode).toBe(401)
    expect((await bring(test, revoked)).statusCode).toBe(200)
    test.clock.advance(50)
    expect((await bring(test, revoked)).statusCode).toBe(401)
  })

  it('ends with REVOKE_BEFORE, an hour before its end at the earliest', async () => {
    const test = await start()
    const now = Math.floor(test.clock() / 1000)
    const again = await test.restart({ revokeBefore: now - 1 })
    expect((await bring(again, test.google.issue(ANN))).statusCode).toBe(200)
    expect((await bring(again, test.google.issue(ANN, { lifetime: 1800 }))).statusCode).toBe(401)
  })

  it('is no ID token, and none is asked about', async () => {
    const test = await start()
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const idToken = `${part({ alg: 'RS256' })}.${part({ iss: test.google.issuer })}.AAAA`
    expect((await bring(test, idToken)).statusCode).toBe(401)
    expect(test.google.requests).toEqual([])
  })

  it.each([
    ['a number', '7'],
    ['a page', '<html>'],
    ['an audience in a list', '{"aud":["x"],"sub":"1","exp":"9999999999"}'],
    ['no subject', JSON.stringify({ aud: GOOGLE_CLIENT.id, exp: '9999999999' })],
    ['a day for an expiry', JSON.stringify({ aud: GOOGLE_CLIENT.id, sub: '1', exp: 'Monday' })],
    ['no expiry', JSON.stringify({ aud: GOOGLE_CLIENT.id, sub: '1' })],
    ['a negative expiry', JSON.stringify({ aud: GOOGLE_CLIENT.id, sub: '1', exp: '-1' })],
  ])('is refused when token-info answers %s', async (_what, body) => {
    const test = await start()
    test.google.answer = (request, response) => {
      if (request.url !== '/tokeninfo') return false
      response.writeHead(200, { 'content-type': 'application/json' }).end(body)
      return true
    }
    expect((await bring(test, test.google.issue(ANN))).statusCode).toBe(401)
  })

  it.each([401, 403, 404, 302, 429, 500])(
    'is an outage when token-info answers %d',
    async (status) => {
      const test = await start()
      test.google.answer = (request, response) => {
        if (request.url !== '/tokeninfo') return false
        response.writeHead(status).end('{}')
        return true
      }
      const answer = await bring(test, test.google.issue(ANN))
      expect(answer.statusCode).toBe(503)
      expect(answer.headers['retry-after']).toBe('2')
    },
  )

  it.each<readonly [string, number, Record<string, string>, number]>([
    ['that it died meanwhile', 401, { 'www-authenticate': 'Bearer error="invalid_token"' }, 401],
    ['that we may not ask', 403, {}, 503],
    ['that it has broken down', 500, {}, 503],
  ])('is judged by userinfo, which says %s', async (_what, status, headers, expected) => {
    const test = await start(['example.com'])
    test.google.answer = (request, response) => {
      if (request.url !== '/v1/userinfo') return false
      response.writeHead(status, headers).end('{}')
      return true
    }
    expect((await bring(test, test.google.issue(ANN))).statusCode).toBe(expected)
  })

  it('is refused when userinfo speaks of another account', async () => {
    const test = await start(['example.com'])
    test.google.answer = (request, response) => {
      if (request.url !== '/v1/userinfo') return false
      response.writeHead(200, JSON_TYPE).end('{"sub":"2","hd":"example.com"}')
      return true
    }
    const answer = await bring(test, test.google.issue(EVE))
    expect(answer.statusCode).toBe(503)
    expect(answer.headers).not.toHaveProperty('x-forwarded-user')
  })
})

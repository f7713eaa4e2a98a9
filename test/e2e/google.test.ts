/**
 * Google, with a stand-in on loopback: the login with its account chooser, the hosted domain, and Google's own tokens
 * as bearers, through Traefik and the built program.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ANN,
  EVE,
  GOOGLE_CLIENT,
  type GoogleAccount,
  type GoogleStandIn,
  OTTO,
  startGoogle,
  UMA,
} from '../support/google-stand-in.ts'
import { type Browser, createBrowser, type Landing } from './support/browser.ts'
import { type HandClient, registerClient } from './support/hand-client.ts'
import { readForms, readText } from './support/html-page.ts'
import { type Exchange, exchange } from './support/http-exchange.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

const REDIRECT_URI = 'https://program.example/callback'

describe.skipIf(isSkipped('traefik'))('with Google', () => {
  let google: GoogleStandIn
  let app: RecordingServer
  let world: World
  let client: HandClient

  beforeAll(async () => {
    google = await startGoogle()
    app = await startRecordingServer((_request, response) => response.end('app'))
    world = await startWorld({
      front: 'traefik',
      upstream: app.address,
      settings: {
        PROVIDER: 'google',
        ISSUER_URL: google.issuer,
        GOOGLE_CLIENT_ID: GOOGLE_CLIENT.id,
        GOOGLE_CLIENT_SECRET: GOOGLE_CLIENT.secret,
        GOOGLE_HOSTED_DOMAIN: 'example.com',
        ACCEPT_PROVIDER_TOKENS: 'true',
      },
      file: { users: {}, allow: { domains: ['example.com'] } },
    })
    client = await registerClient({
      issuer: world.publicUrl,
      resource: world.mcpUrl,
      redirectUri: REDIRECT_URI,
    })
  })
  afterAll(async () => {
    await world?.stop()
    await app?.close()
    await google?.stop()
  })

  const atClient = (url: URL) => url.href.startsWith(REDIRECT_URI)

  /** Presses a button of the only form of a page. */
  function press(browser: Browser, page: Exchange, button: string): Promise<Landing> {
    const [form] = readForms(page.body)
    if (!form) throw new Error(`no form: ${readText(page.body).slice(0, 500)}`)
    return browser.submit({ page, form, button, until: atClient })
  }

  /** Allows the client, and arrives at Google's account chooser. */
  async function arrive(browser: Browser): Promise<Exchange> {
    const consent = pageOf(await browser.open(client.authorizationUrl()))
    const chooser = pageOf(await press(browser, consent, 'approve'))
    expect(chooser.url.origin).toBe(google.issuer)
    return chooser
  }
  async function signIn(account: GoogleAccount, browser = createBrowser()): Promise<Landing> {
    return press(browser, await arrive(browser), account.sub)
  }

  async function bring(token: string) {
    const before = app.requests.length
    const answer = await exchange(new URL(world.mcpUrl), {
      headers: { authorization: `Bearer ${token}` },
    })
    return { status: answer.status, received: app.requests[before]?.headers }
  }

  it('a person of the hosted domain signs in, and the server is told who it is', async () => {
    const landing = await signIn(ANN)
    if (landing.kind !== 'reached') throw new Error(readText(landing.page.body))
    const answer = await client.redeem(landing.url)
    const { access_token }: { access_token: string } = JSON.parse(answer.body)
    const ours = await bring(access_token)
    expect(ours.received).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-user-name': 'Ann Adams',
    })
    const theirs = await bring(google.issue(ANN))
    expect(theirs.received).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-user-id': ours.received?.['x-user-id'],
      'x-forwarded-scopes': '',
    })
    expect(theirs.received).not.toHaveProperty('authorization')
  })

  it('is asked for the accounts of the domain, and for a choice', async () => {
    const { searchParams } = (await arrive(createBrowser())).url
    expect(searchParams.get('hd')).toBe('example.com')
    expect(searchParams.get('prompt')).toBe('select_account')
    expect(searchParams.get('scope')).toBe('openid email profile')
    expect(searchParams.get('redirect_uri')).toBe(`${world.publicUrl}/callback`)
  })

  it.each([
    ['another organisation', OTTO],
    ['their own, with an address of the domain,', EVE],
  ])(
    'a person with an account of %s is kept out, and may choose again',
    async (_whose, account) => {
      const browser = createBrowser()
      const page = pageOf(await signIn(account, browser))
      expect(page.status).toBe(403)
      expect(readText(page.body)).toContain('Sign in with your work account')
      const chooser = pageOf(await press(browser, page, ''))
      const landing = await press(browser, chooser, ANN.sub)
      expect(landing.kind).toBe('reached')
    },
  )

  it('an e-mail that Google did not verify counts for nothing', async () => {
    expect(pageOf(await signIn(UMA)).status).toBe(403)
    expect((await bring(google.issue(UMA))).status).not.toBe(200)
  })

  it.each([
    ['of another application', ANN, { client: 'another.apps.googleusercontent.com' }],
    ['that has expired', ANN, { lifetime: -1 }],
    ['of another organisation', OTTO, {}],
    ['of an account that nobody manages', EVE, {}],
  ])('a token %s is refused', async (_what, account, options) => {
    const { status, received } = await bring(google.issue(account, options))
    expect(status).toBe(401)
    expect(received).toBeUndefined()
  })

  it('no token stands in an address or in the log', () => {
    expect(google.requests.join('\n')).toContain('POST /tokeninfo')
    expect(google.requests.join('\n')).not.toContain('ya29')
    for (const secret of ['ya29', GOOGLE_CLIENT.secret, 'eyJ', 'code=']) {
      expect(world.log()).not.toContain(secret)
    }
  })
})

function pageOf(landing: Landing): Exchange {
  if (landing.kind === 'page') return landing.page
  throw new Error(`no page, but ${landing.url.href}`)
}

/**
 * The whole way with a real Keycloak: MCP client, Traefik, Gatewarden, Keycloak's own pages behind Traefik with the
 * routers of docs/providers/keycloak.md, and back.
 *
 * @module
 */
import { createHash, randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClock } from '../support/build-app.ts'
import { anHourAgo } from '../support/later.ts'
import { type Browser, createBrowser, type Landing } from './support/browser.ts'
import type { SignIn } from './support/client-memory.ts'
import { readForms, readText } from './support/html-page.ts'
import { type Exchange, exchange } from './support/http-exchange.ts'
import { OTHER_PROGRAM, person, startTestKeycloak, type TestKeycloak } from './support/keycloak.ts'
import { type KeycloakProxy, startKeycloakProxy } from './support/keycloak-proxy.ts'
import { connectSdk1, type Sdk1Memory } from './support/mcp-clients.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

/** The redirect URI of a client on loopback; no process listens there. */
const REDIRECT_URI = 'http://127.0.0.1:33418/callback'
const DISCOVERY = '/.well-known/openid-configuration'
/** Paths of Keycloak that no stranger reaches, by Traefik's answer. */
const INNER_PATHS = {
  403: [
    ...['/admin', '/admin/', '/admin/master/console/', '/admin/realms/', '//admin/', '/%61dmin/'],
    ...['/realms/master', '/realms/master/', `/realms/master${DISCOVERY}`, '/realms/m%61ster/'],
    ...['/resources/../admin/', '/resources/%2e%2e/realms/master/'],
  ],
  404: ['/', '/metrics', '/health', '/health/ready', '/realms/', '/realms/another/'],
}
const VERIFIER = 'a-code-verifier-of-at-least-forty-three-characters'

describe.skipIf(isSkipped('keycloak') || isSkipped('traefik'))('with Keycloak', () => {
  let keycloak: TestKeycloak
  let proxy: KeycloakProxy
  let world: World
  let clientId: string

  beforeAll(async () => {
    keycloak = await startTestKeycloak()
    proxy = await startKeycloakProxy(keycloak.issuer)
    world = await startWorld({
      front: 'traefik',
      settings: { ...keycloak.settings, ISSUER_URL: proxy.issuer },
      file: { users: {}, allow: { domains: ['example.com'], groups: ['/guests'] } },
    })
    const registered = await exchange(new URL('/register', world.publicUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'End-to-end client',
        redirect_uris: [REDIRECT_URI],
        token_endpoint_auth_method: 'none',
      }),
    })
    clientId = JSON.parse(registered.body).client_id
  }, 300_000)

  afterAll(async () => {
    await world?.stop()
    await proxy?.stop()
    await keycloak?.stop()
  })

  const authorizeUrl = () => {
    const url = new URL('/authorize', world.publicUrl)
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: REDIRECT_URI,
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      state: randomUUID(),
      resource: world.mcpUrl,
    }).toString()
    return url
  }
  const atClient = (url: URL) => url.href.startsWith(REDIRECT_URI)

  /** Allows the client, and returns the page that Keycloak then shows. */
  async function openKeycloak(browser: Browser): Promise<Exchange> {
    const consent = pageOf(await browser.open(authorizeUrl()))
    return pageOf(await press(browser, consent, { button: 'approve' }))
  }

  /** Fills in the only form of a page. */
  function press(
    browser: Browser,
    page: Exchange,
    options: { fields?: Record<string, string>; button?: string } = {},
  ): Promise<Landing> {
    const [form] = readForms(page.body)
    if (!form) throw new Error(`no form: ${readText(page.body).slice(0, 500)}`)
    return browser.submit({ page, form, until: atClient, ...options })
  }

  const logIn = (browser: Browser, page: Exchange, name: string) =>
    press(browser, page, { fields: { username: name, password: person(name).password } })

  const signIn = async (name: string, browser = createBrowser()) =>
    logIn(browser, await openKeycloak(browser), name)

  async function redeem(code: string): Promise<{ access_token: string; refresh_token: string }> {
    return postForm(new URL('/token', world.publicUrl), {
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: VERIFIER,
    })
  }

  it('an MCP client signs a person in once, and calls a tool', async () => {
    const memory: Sdk1Memory = { signIns: 0 }
    const signInAs: SignIn = (url) => createBrowser().signIn(url, person('alice'))
    for (const message of ['hello', 'again']) {
      const session = await connectSdk1({ url: world.mcpUrl, signIn: signInAs, memory })
      expect(await session.echo(message)).toBe(`Echo: ${message}`)
      await session.close()
    }
    expect(memory.signIns).toBe(1)
    for (const secret of [keycloak.settings.CLIENT_SECRET, 'code=', 'eyJ']) {
      expect(world.log()).not.toContain(secret)
    }
  })

  it('sa16: the routers of the page open the pages of the realm to everybody, and nothing else of Keycloak', async () => {
    const discovery = await at(proxy, `${new URL(proxy.issuer).pathname}${DISCOVERY}`, {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '444',
    })
    expect(JSON.parse(discovery.body)).toMatchObject({ issuer: proxy.issuer })
    const login = await openKeycloak(createBrowser())
    const [style = ''] = /\/resources\/[^"]+\.css/.exec(login.body) ?? []
    expect((await at(proxy, style)).status).toBe(200)
    for (const [refused, paths] of Object.entries(INNER_PATHS)) {
      for (const path of paths) expect((await at(proxy, path)).status, path).toBe(Number(refused))
    }
  })

  it('sa16: the console is there for the addresses of administrators', async () => {
    const inside = await startKeycloakProxy(keycloak.issuer, '127.0.0.1/32')
    try {
      const [console, master] = ['/admin/master/console/', '/realms/master/']
      for (const path of [console, master]) expect((await at(inside, path)).status).toBe(200)
      expect((await at(inside, '/admin/')).headers.location).toBe(
        new URL(console, inside.issuer).href,
      )
      expect((await at(inside, '/metrics')).status).toBe(404)
    } finally {
      await inside.stop()
    }
  })

  it('a wrong password is between the person and Keycloak', async () => {
    const browser = createBrowser()
    const login = await openKeycloak(browser)
    const fields = { username: 'alice', password: 'wrong' }
    const again = pageOf(await press(browser, login, { fields }))
    expect(again.url.origin).toBe(new URL(proxy.issuer).origin)
    expect(readText(again.body)).toContain('Invalid username or password.')
    expect(codeIn(await logIn(browser, again, 'alice'))).not.toBe('')
  })

  it('a disabled person does not get past Keycloak', async () => {
    const page = pageOf(await signIn('dave'))
    expect(page.url.origin).toBe(new URL(proxy.issuer).origin)
    expect(readText(page.body)).toContain('Account is disabled')
  })

  it('an e-mail that nobody verified opens no door', async () => {
    const page = pageOf(await signIn('mallory'))
    expect(page.status).toBe(403)
    expect(readText(page.body)).toContain('without a verified e-mail address')
  })

  it('an e-mail that only userinfo says opens the door as well', async () => {
    await keycloak.putEmailIntoIdTokens(false)
    try {
      const { id_token: withoutEmail = '' } = await signInElsewhere(createBrowser())
      expect(decodeJwt(withoutEmail)).not.toHaveProperty('email')
      expect(codeIn(await signIn('alice'))).not.toBe('')
    } finally {
      await keycloak.putEmailIntoIdTokens(true)
    }
  })

  it('a person without an e-mail comes in by group', async () => {
    const code = codeIn(await signIn('carol'))
    expect((await redeem(code)).access_token).toMatch(/^ey/)
  })

  it('ed5: a person who is not let in signs in as someone else with one press', async () => {
    const browser = createBrowser()
    const refused = pageOf(await signIn('bob', browser))
    expect(refused.status).toBe(403)
    expect(readText(refused.body)).toContain('bob@elsewhere.test')
    const href =
      /href="([^"]*)"[^>]*>(?:<[^>]*>)*Sign in as someone else/.exec(refused.body)?.[1] ?? ''
    const asked = pageOf(await browser.open(new URL(href.replaceAll('&amp;', '&')), atClient))
    expect(asked.url.origin).toBe(new URL(proxy.issuer).origin)
    expect(readText(asked.body)).not.toContain('bob')
    expect(asked.body).toMatch(/<input[^>]*name="username"/)
    expect((await redeem(codeIn(await logIn(browser, asked, 'alice')))).access_token).toMatch(/^ey/)
  })

  it('fh2: a person whom the browser knows leaves for another account, which Keycloak asks about', async () => {
    const browser = createBrowser()
    codeIn(await signIn('alice', browser))
    const known = pageOf(await browser.open(authorizeUrl()))
    expect(readText(known.body)).toContain('alice@example.com')
    const asked = pageOf(await press(browser, known, { button: 'someone-else' }))
    const question = pageOf(await press(browser, asked, { button: 'approve' }))
    expect(readText(question.body)).toContain('Do you want to log out?')
    const login = pageOf(await press(browser, question, { button: 'Logout' }))
    expect(login.body).toMatch(/<input[^>]*name="username"/)
    expect(readText(login.body)).not.toContain('alice')
    expect((await redeem(codeIn(await logIn(browser, login, 'carol')))).access_token).toMatch(/^ey/)
  })

  it('a person who says no at Keycloak is taken back to the client', async () => {
    await keycloak.askConsent(true)
    try {
      const browser = createBrowser()
      const consent = pageOf(await signIn('alice', browser))
      expect(readText(consent.body)).toContain('Grant Access')
      const [form] = readForms(consent.body)
      if (!form) throw new Error('Keycloak shows no consent form')
      // The buttons of that page have names, but no values.
      const buttons = form.buttons.filter(({ name }) => name === 'cancel')
      const back = await browser.submit({
        page: consent,
        form: { ...form, buttons },
        button: '',
        until: atClient,
      })
      expect(parametersOf(back)).toMatchObject({
        error: 'access_denied',
        state: expect.any(String),
        iss: world.publicUrl,
      })
    } finally {
      await keycloak.askConsent(false)
    }
  })

  it('two tabs both come to their end', async () => {
    const browser = createBrowser()
    const [first, second] = [await openKeycloak(browser), await openKeycloak(browser)]
    expect(codeIn(await logIn(browser, first, 'alice'))).not.toBe('')
    const late = await logIn(browser, second, 'alice')
    expect(codeIn(late)).not.toBe('')
  })

  it('a key that Keycloak made a moment ago is known at once', async () => {
    expect(codeIn(await signIn('alice'))).not.toBe('')
    for (const _ of [1, 2]) {
      await keycloak.rotateKeys()
      expect(codeIn(await signIn('alice'))).not.toBe('')
    }
  })

  it('a Keycloak that is restarted in the middle of a login takes the person on', async () => {
    const browser = createBrowser()
    const login = await openKeycloak(browser)
    await keycloak.restart()
    const landing = await logIn(browser, login, 'alice')
    const end = landing.kind === 'page' ? await logIn(browser, landing.page, 'alice') : landing
    expect((await redeem(codeIn(end))).access_token).toMatch(/^ey/)
  }, 240_000)

  it('other programs keep their tokens and sessions at Keycloak, and our tokens live without it', async () => {
    const browser = createBrowser()
    const theirs = await signInElsewhere(browser)
    const callback = codeIn(await openWithSession(browser))
    const ours = await redeem(callback)
    const refreshed = await postForm(new URL('/token', world.publicUrl), {
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: ours.refresh_token,
    })
    // A code redeemed twice, or a refresh of ours that reached Keycloak, would have ended this session.
    const next = await refreshElsewhere(theirs.refresh_token)
    expect(next.access_token).toMatch(/^ey/)
    expect(await keycloak.sessions('alice')).toBeGreaterThan(0)
    await keycloak.logOut('alice')
    await expect(refreshElsewhere(next.refresh_token)).rejects.toThrow('invalid_grant')
    const call = await exchange(new URL(world.mcpUrl), {
      headers: { authorization: `Bearer ${refreshed.access_token}`, accept: 'text/event-stream' },
    })
    expect(call.status).not.toBe(401)
  })

  it('T31: with RECHECK_AT_REFRESH a person who is disabled at Keycloak gets no further token', async () => {
    // In this process, so that an hour goes by at once.
    const origin = 'http://localhost:33419'
    const { CLIENT_ID = '', CLIENT_SECRET = '' } = keycloak.settings
    const later = await anHourAgo(
      {
        publicUrl: { origin, host: 'localhost:33419', secure: false },
        provider: {
          type: 'keycloak',
          id: 'keycloak',
          issuerUrl: proxy.issuer,
          clientId: CLIENT_ID,
          clientSecret: CLIENT_SECRET,
          groupsClaim: 'groups',
          hostedDomains: [],
          tokenClients: [],
          allowInsecure: true,
          rechecks: true,
        },
      },
      async (authorizationUrl) => {
        const browser = createBrowser()
        const until = (url: URL) => url.origin === origin
        const page = pageOf(await browser.open(new URL(authorizationUrl), until))
        const [form] = readForms(page.body)
        if (!form) throw new Error('Keycloak shows no login')
        const fields = { username: 'alice', password: person('alice').password }
        const back = await browser.submit({ page, form, fields, until })
        if (back.kind === 'page') throw new Error(`no way back: ${readText(back.page.body)}`)
        return back.url.href
      },
      { clock: createClock(Date.now()) },
    )
    for (const _ of ['first', 'second']) {
      expect((await later.refresh()).statusCode).toBe(200)
      later.clock.advance(3600)
    }
    await keycloak.enable('alice', false)
    try {
      expect((await later.refresh()).json().error).toBe('invalid_grant')
      expect(later.ended()[0]).toBe('the provider refused: invalid_grant, User disabled')
    } finally {
      await keycloak.enable('alice', true)
    }
  })

  /** Allows the client in a browser that is signed in at Keycloak, which then asks nothing. */
  async function openWithSession(browser: Browser): Promise<Landing> {
    const consent = pageOf(await browser.open(authorizeUrl()))
    return press(browser, consent, { button: 'approve' })
  }

  /** The other program's own login, at Keycloak directly. */
  async function signInElsewhere(browser: Browser) {
    const url = new URL(`${proxy.issuer}/protocol/openid-connect/auth`)
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: OTHER_PROGRAM.id,
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
    }).toString()
    const back = await logIn(browser, pageOf(await browser.open(url, atClient)), 'alice')
    return elsewhere({
      grant_type: 'authorization_code',
      code: codeIn(back),
      redirect_uri: REDIRECT_URI,
    })
  }

  const refreshElsewhere = (refreshToken: string) =>
    elsewhere({ grant_type: 'refresh_token', refresh_token: refreshToken })

  const elsewhere = (form: Record<string, string>) =>
    postForm(new URL(`${proxy.issuer}/protocol/openid-connect/token`), {
      client_id: OTHER_PROGRAM.id,
      client_secret: OTHER_PROGRAM.secret,
      ...form,
    })
})

/** Asks Traefik in front of Keycloak for exactly this path. */
const at = ({ issuer }: KeycloakProxy, path: string, headers = {}) =>
  exchange(new URL(issuer), { path, headers })

async function postForm(url: URL, form: Record<string, string>) {
  const answer = await exchange(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  })
  if (answer.status !== 200)
    throw new Error(`${url.href} answered ${answer.status}: ${answer.body}`)
  const tokens: { access_token: string; refresh_token: string; id_token?: string } = JSON.parse(
    answer.body,
  )
  return tokens
}

function pageOf(landing: Landing): Exchange {
  if (landing.kind === 'page') return landing.page
  throw new Error(`no page, but ${landing.url.href}`)
}

function parametersOf(landing: Landing): Record<string, string> {
  if (landing.kind === 'reached') return Object.fromEntries(landing.url.searchParams)
  const { url, status, body } = landing.page
  throw new Error(`the way ends at ${url.href} (${status}): ${readText(body).slice(0, 500)}`)
}

function codeIn(landing: Landing): string {
  const { code, ...rest } = parametersOf(landing)
  if (code === undefined) throw new Error(`no code: ${JSON.stringify(rest)}`)
  return code
}

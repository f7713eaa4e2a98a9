/**
 * Consent and login in a person's browser, a real Chromium: the steps it takes, and those it refuses.
 *
 * @module
 */
import type { BrowserContext, Browser as Chromium, Page, Request } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createBrowser } from './support/browser.ts'
import { startChromium } from './support/chromium.ts'
import { allow, arrivalAt, signInWithChromium, typeLogin } from './support/chromium-login.ts'
import { type HandClient, readTokens, registerClient } from './support/hand-client.ts'
import { readForms } from './support/html-page.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

describe.skipIf(isSkipped('chromium'))('in Chromium', () => {
  let chromium: Chromium
  let world: World
  let app: RecordingServer
  let client: HandClient
  let context: BrowserContext
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    chromium = await startChromium()
    app = await startRecordingServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<title>client</title>You can close this window.')
    })
    world = await startWorld({ front: 'builtin' })
  })
  afterAll(async () => {
    await chromium?.close()
    await world?.stop()
    await app?.close()
  })
  beforeEach(async () => {
    client = await newClient()
    context = await chromium.newContext()
    page = await newPage()
    complaints = []
  })
  afterEach(() => context.close())

  const newClient = () =>
    registerClient({
      issuer: world.publicUrl,
      resource: world.mcpUrl,
      redirectUri: `http://${app.address}/callback`,
    })

  /** The requests to the client's callback. */
  const received = () => app.requests.find(({ url }) => url?.includes(client.state))

  /** A page whose console we record: Chromium logs there every action that a policy stopped. */
  async function newPage() {
    const opened = await context.newPage()
    opened.on('console', (message) => {
      if (!/favicon/.test(message.location().url)) complaints.push(message.text())
    })
    return opened
  }

  it('the answer reaches the client, under the policy of our pages', async () => {
    const callback = await signInWithChromium(page, client.authorizationUrl(), world.ann)
    await page.getByText('You can close this window.').waitFor()
    expect(callback.searchParams.get('state')).toBe(client.state)
    expect(callback.searchParams.get('iss')).toBe(world.publicUrl)
    readTokens(await client.redeem(callback))
    expect(complaints).toEqual([])
  })

  it('at18: Allow cannot be pressed before its first second is over, by mouse or keyboard', async () => {
    // The clock of animations stands still, so that the first second lasts as long as the test wants.
    const devtools = await context.newCDPSession(page)
    await devtools.send('Animation.enable')
    await devtools.send('Animation.setPlaybackRate', { playbackRate: 0 })
    await page.goto(client.authorizationUrl().href)
    const button = page.locator('button[value=approve]')
    const box = await button.boundingBox()
    if (!box) throw new Error('the button has no place')
    const address = page.url()
    await page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2)
    await button.evaluate((element) => element instanceof HTMLElement && element.focus())
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(false)
    expect(page.url()).toBe(address)
    await devtools.send('Animation.setPlaybackRate', { playbackRate: 1 })
    await button.click()
    await page.getByLabel('Password').waitFor()
  })

  it('no address of ours travels in a Referer', async () => {
    const asked: Request[] = []
    page.on('request', (request) => asked.push(request))
    await signInWithChromium(page, client.authorizationUrl(), world.ann)
    await page.getByText('You can close this window.').waitFor()
    // The page after the consent continues by itself; its address carries the sealed interaction.
    const onward = asked.filter((request) => /\/(login\?|callback)/.test(request.url()))
    expect(onward.map((request) => new URL(request.url()).pathname)).toEqual([
      '/authorize/login',
      '/callback',
    ])
    for (const request of onward) expect(await request.headerValue('referer')).toBeNull()
    expect(received()?.headers).not.toHaveProperty('referer')
  })

  it('two tabs that are opened at once for the first time both finish', async () => {
    const tabs = [page, await newPage()]
    const clients = [client, await newClient()]
    // The server is stopped, so that both requests are sent before either answer sets a cookie.
    process.kill(world.pid(), 'SIGSTOP')
    const opened = tabs.map(async (tab, index) => {
      const sent = tab.waitForRequest(/\/authorize/)
      const loaded = tab.goto(clients[index]?.authorizationUrl().href ?? '')
      expect((await (await sent).allHeaders()).cookie).toBeUndefined()
      return loaded
    })
    await Promise.all(tabs.map((tab) => tab.waitForRequest(/\/authorize/)))
    process.kill(world.pid(), 'SIGCONT')
    await Promise.all(opened)

    for (const tab of tabs) await allow(tab)
    for (const [index, tab] of tabs.entries()) {
      const arrival = arrivalAt(tab, clients[index]?.authorizationUrl() ?? new URL(''))
      await typeLogin(tab, world.ann)
      const callback = await arrival
      expect(callback.searchParams.get('state')).toBe(clients[index]?.state)
      readTokens(await (clients[index] ?? client).redeem(callback))
    }
  })

  it('a tab whose cookie another one has replaced is asked again, and finishes', async () => {
    await page.goto(client.authorizationUrl().href)
    await context.clearCookies()
    const other = await newPage()
    await other.goto((await newClient()).authorizationUrl().href)
    const arrival = arrivalAt(page, client.authorizationUrl())
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(/\/consent$/)
    await page.getByRole('button', { name: 'Allow' }).click()
    await typeLogin(page, world.ann)
    readTokens(await client.redeem(await arrival))
  })

  describe.each([
    { attacker: 'another site', host: '127.0.0.1', site: 'cross-site' },
    { attacker: 'another port of this host', host: 'localhost', site: 'same-site' },
  ])('a consent auto-posted from $attacker', ({ host, site }) => {
    let evil: RecordingServer
    let mallory: HandClient
    /**
     * The interaction of a consent page that the attacker opened in their own browser, before and after they allowed
     * it.
     */
    let atHome: { requested: string; consented: string }

    beforeEach(async () => {
      const posted = () =>
        `<form method="post" action="${world.publicUrl}/consent"><input name="interaction" value="${atHome.requested}"><input name="decision" value="approve"></form><script>document.forms[0].submit()</script>`
      const framing = () =>
        `<iframe src="${mallory.authorizationUrl().href.replaceAll('&', '&amp;')}"></iframe>`
      evil = await startRecordingServer((request, response) => {
        response.setHeader('content-type', 'text/html')
        const pages: Record<string, () => string> = { '/': posted, '/frame': framing }
        response.end((pages[request.url ?? ''] ?? (() => 'caught'))())
      })
      mallory = await registerClient({
        issuer: world.publicUrl,
        resource: world.mcpUrl,
        redirectUri: `http://${evil.address}/callback`,
        name: 'Your bank',
      })
      atHome = await openAtHome(mallory)
    })
    afterEach(() => evil.close())

    const evilUrl = () => `http://${host}:${evil.address.split(':')[1]}/`
    const caught = () => evil.requests.filter(({ url }) => url?.startsWith('/callback'))

    it('is refused, sets no cookie and gives the attacker no code', async () => {
      const posted = page.waitForRequest(/\/consent$/)
      await page.goto(evilUrl())
      expect(await (await posted).headerValue('sec-fetch-site')).toBe(site)
      await page.getByText('Another website tried to answer for you').waitFor()
      expect((await (await posted).response())?.status()).toBe(403)
      expect(await context.cookies(world.publicUrl)).toEqual([])
      expect(caught()).toEqual([])
    })

    it('is refused in a browser that knows us, and cannot be continued', async () => {
      await signInWithChromium(page, client.authorizationUrl(), world.ann)
      const before = await cookieNames()
      await page.goto(evilUrl())
      await page.getByText('Another website tried to answer for you').waitFor()
      expect(await cookieNames()).toEqual(before)

      // The attacker leads the person to the login: the person sees the client and has to allow it first.
      await page.goto(`${world.publicUrl}/login?interaction=${atHome.requested}`)
      await page.getByRole('button', { name: 'Deny' }).waitFor()
      expect(await page.getByLabel('Password').count()).toBe(0)
      // The same holds for the interaction that the attacker allowed in their own browser.
      await page.goto(`${world.publicUrl}/login?interaction=${atHome.consented}`)
      await page.getByRole('heading', { name: 'Start again' }).waitFor()
      expect(await page.getByLabel('Password').count()).toBe(0)
      await page.getByRole('button', { name: 'Start again' }).click()
      await page.getByRole('button', { name: 'Deny' }).waitFor()
      expect(caught()).toEqual([])
    })

    it('is not possible in a frame either', async () => {
      const blocked = page.waitForEvent('requestfailed')
      await page.goto(`${evilUrl()}frame`)
      expect((await blocked).url()).toBe(mallory.authorizationUrl().href)
      expect((await blocked).failure()?.errorText).toBe('net::ERR_BLOCKED_BY_RESPONSE')
      expect(await page.frames()[1]?.getByRole('button').count()).toBe(0)
    })
  })

  it('a person who is not allowed in is told so, and can sign in as someone else', async () => {
    const arrival = arrivalAt(page, client.authorizationUrl())
    await page.goto(client.authorizationUrl().href)
    await allow(page)
    const answered = page.waitForResponse(
      (answer) => answer.request().method() === 'POST' && answer.url().endsWith('/login'),
    )
    await typeLogin(page, world.bob)
    expect((await answered).status()).toBe(403)
    await page.getByText('You are signed in as bob@example.com').waitFor()
    expect(received()).toBeUndefined()

    await page.getByRole('link', { name: 'Sign in as someone else' }).click()
    await typeLogin(page, world.ann)
    readTokens(await client.redeem(await arrival))
  })

  it('a person who is not allowed in can go back to the program, which gets an error', async () => {
    const arrival = arrivalAt(page, client.authorizationUrl())
    await page.goto(client.authorizationUrl().href)
    await allow(page)
    await typeLogin(page, world.bob)
    await page.getByRole('link', { name: 'Back to the program' }).click()
    expectDenied(await arrival)
    await page.getByText('You can close this window.').waitFor()
    expect(received()?.headers).not.toHaveProperty('referer')
  })

  it('a person who says no sends the client a refusal and keeps no trace of it', async () => {
    const arrival = arrivalAt(page, client.authorizationUrl())
    await page.goto(client.authorizationUrl().href)
    await page.getByRole('button', { name: 'Deny' }).click()
    expectDenied(await arrival)
    expect(await cookieNames()).toEqual(['gw_browser'])
  })

  it('a person who types a wrong password keeps the name and may try again', async () => {
    const arrival = arrivalAt(page, client.authorizationUrl())
    await page.goto(client.authorizationUrl().href)
    await allow(page)
    await typeLogin(page, { ...world.ann, password: 'wrong' })
    await page.getByRole('alert').waitFor()
    expect(await page.getByLabel('Name').inputValue()).toBe(world.ann.name)
    expect(await page.getByLabel('Password').inputValue()).toBe('')
    await typeLogin(page, world.ann)
    readTokens(await client.redeem(await arrival))
  })

  const cookieNames = async () =>
    (await context.cookies(world.publicUrl)).map(({ name }) => name).sort()

  function expectDenied(callback: URL) {
    expect(Object.fromEntries(callback.searchParams)).toMatchObject({
      error: 'access_denied',
      state: client.state,
      iss: world.publicUrl,
    })
    expect(callback.searchParams.has('code')).toBe(false)
  }
})

describe.skipIf(isSkipped('chromium') || isSkipped('traefik'))('over https', () => {
  it('every cookie is bound to the host and out of reach of scripts', async () => {
    const chromium = await startChromium()
    const world = await startWorld({ front: 'traefik', tls: true })
    try {
      const context = await chromium.newContext({ ignoreHTTPSErrors: true })
      const page = await context.newPage()
      const client = await registerClient({ issuer: world.publicUrl, resource: world.mcpUrl })
      await page.goto(client.authorizationUrl().href)
      await allow(page)
      const cookies = await context.cookies()
      expect(cookies.map(({ name }) => name.replace(/(flow)_.*/, '$1')).sort()).toEqual([
        '__Host-gw_browser',
        '__Host-gw_flow',
      ])
      for (const cookie of cookies) {
        // A domain without a dot in front means the host alone.
        expect(cookie).toMatchObject({
          domain: 'localhost',
          path: '/',
          secure: true,
          httpOnly: true,
          sameSite: 'Lax',
        })
      }
      expect(await page.evaluate('document.cookie')).toBe('')
      const arrival = arrivalAt(page, client.authorizationUrl())
      await typeLogin(page, world.ann)
      readTokens(await client.redeem(await arrival))
      const left = (await context.cookies()).map(({ name }) => name)
      expect(left.sort()).toEqual(['__Host-gw_browser', '__Host-gw_device', '__Host-gw_login'])
    } finally {
      await chromium.close()
      await world.stop()
    }
  })
})

/** The interactions that attackers have after they opened the consent page, and allowed it, in their own browser. */
async function openAtHome(client: HandClient): Promise<{ requested: string; consented: string }> {
  const browser = createBrowser()
  const asked = await browser.open(client.authorizationUrl())
  if (asked.kind !== 'page') throw new Error('no consent page')
  const [form] = readForms(asked.page.body)
  if (!form) throw new Error('no form on the consent page')
  const allowed = await browser.submit({ page: asked.page, form, button: 'approve' })
  if (allowed.kind !== 'page') throw new Error('no login page')
  const [login] = readForms(allowed.page.body)
  const interaction = (inputs = form.inputs) =>
    inputs.find(({ name }) => name === 'interaction')?.value ?? ''
  return { requested: interaction(), consented: interaction(login?.inputs) }
}

/**
 * A hostile server on the host of the login, in a real Chromium (threat T35): its page and its service worker, on each
 * of the layouts for one host that we ship, and where the operator lets its pages share our origin.
 *
 * @module
 */
import type { BrowserContext, Browser as Chromium, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startChromium } from './support/chromium.ts'
import { allow, arrivalAt, typeLogin } from './support/chromium-login.ts'
import { type HandClient, readTokens, registerClient } from './support/hand-client.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

const WORKER = `self.addEventListener('fetch', (event) => event.respondWith(new Response('stolen')))`
const REDIRECT = 'http://127.0.0.1:9/callback'

const LAYOUTS = [
  { layout: 'pass-through', front: 'builtin', pages: false },
  { layout: 'the shipped Traefik file', front: 'traefik', pages: false },
  { layout: 'the shipped nginx file', front: 'nginx', pages: false },
  { layout: 'pass-through with shared_host: pages', front: 'builtin', pages: true },
] as const

describe.each(
  LAYOUTS.filter(
    ({ front }) => !isSkipped('chromium') && (front === 'builtin' || !isSkipped(front)),
  ),
)('at1, T35: on one host, with $layout,', ({ front, pages }) => {
  let chromium: Chromium
  let world: World
  let evil: RecordingServer
  let context: BrowserContext
  let page: Page
  let mallory: HandClient

  beforeAll(async () => {
    chromium = await startChromium()
    evil = await startRecordingServer((request, response) => {
      const isScript = request.url?.endsWith('.js')
      response.writeHead(200, {
        'Content-Type': isScript ? 'text/javascript' : 'text/html',
        'Service-Worker-Allowed': '/',
        'Clear-Site-Data': '"cookies"',
        'Cross-Origin-Opener-Policy': 'same-origin',
      })
      response.end(isScript ? WORKER : '<!doctype html><title>evil</title><p>evil page</p>')
    })
    world = await startWorld({
      front,
      upstream: evil.address,
      settings: { ENABLE_EDGE_AUTH: 'true' },
      ...(pages && { resource: { shared_host: 'pages' } }),
    })
  })
  afterAll(async () => {
    await chromium?.close()
    await world?.stop()
    await evil?.close()
  })
  beforeEach(async () => {
    mallory = await registerClient({
      issuer: world.publicUrl,
      resource: world.mcpUrl,
      redirectUri: REDIRECT,
    })
    context = await chromium.newContext()
    page = await context.newPage()
    await page.goto(`${world.mcpUrl}/evil`)
    await typeLogin(page, world.ann)
    await page.getByText('evil page').waitFor()
  })
  afterEach(() => context.close())

  /** Runs a script of the hostile page. */
  const run = (script: string) => page.evaluate<unknown>(`(async () => { ${script} })()`)
  const connect = () => `${world.publicUrl}/auth/connect?callback_port=9&code=AAA-AAAA`
  const grants = async () =>
    (await context.cookies()).map(({ name }) => name.replace(/_flow_.*/, '_flow')).sort()

  it(`the page ${pages ? 'is' : 'is not'} of our origin`, async () => {
    expect(await run('return self.origin')).toBe(pages ? world.publicUrl : 'null')
    const cookies = await run('try { return document.cookie } catch { return "out of reach" }')
    expect(cookies).toBe(pages ? '' : 'out of reach')
    // Clear-Site-Data did not sign the person out.
    await page.reload()
    await page.getByText('evil page').waitFor()
  })

  it('its scripts can neither read our pages nor post to them', async () => {
    const before = await grants()
    const ask = (url: string, init = '{}') =>
      run(
        `return fetch(${JSON.stringify(url)}, ${init}).then(async (answer) => answer.status + ' ' + await answer.text(), () => 'blocked')`,
      )
    const post = (body: string) =>
      `{ method: 'POST', body: new URLSearchParams(${JSON.stringify(body)}), credentials: 'include' }`
    for (const answer of [
      await ask(mallory.authorizationUrl().href, "{ credentials: 'include' }"),
      await ask(`${world.publicUrl}/consent`, post('interaction=x&decision=approve')),
      await ask(`${world.publicUrl}/login`, post('interaction=x&username=ann')),
      await ask(`${world.publicUrl}/.gatewarden/login?rd=/mcp`),
      await ask(connect(), "{ credentials: 'include' }"),
    ]) {
      expect(answer).toMatch(pages ? /^(403 |blocked)/ : /^blocked$/)
      expect(answer).not.toContain('name="interaction"')
      expect(answer).not.toContain('id="pass"')
    }
    expect(await grants()).toEqual(before)
  })

  it('it can show our pages in no frame', async () => {
    const frame = (url: string) =>
      run(`const frame = document.createElement('iframe'); frame.src = ${JSON.stringify(url)};
        document.body.append(frame); await new Promise((done) => { frame.onload = done });
        try { return frame.contentDocument?.body?.innerHTML ?? 'out of reach' } catch { return 'out of reach' }`)
    for (const url of [mallory.authorizationUrl().href, connect()]) {
      expect(await frame(url)).not.toMatch(/name="interaction"|id="pass"/)
    }
  })

  it('it can read no pop-up of ours, with the same opener policy', async () => {
    for (const url of [mallory.authorizationUrl().href, connect()]) {
      const popUp = pages ? context.waitForEvent('page') : undefined
      // Chromium opens a pop-up without a click here.
      await run(`self.opened = self.open(${JSON.stringify(url)}); return self.opened === null`)
      if (popUp) {
        const opened = await popUp
        await opened.waitForLoadState()
        const shown = await opened.content()
        expect(shown).not.toContain('name="interaction"')
        expect(shown).not.toContain('id="pass"')
        expect(shown).toMatch(/Open this page yourself|Start in the program itself/)
        await opened.close()
      } else {
        expect(await run('return self.opened === null')).toBe(true)
      }
    }
  })

  it('it can put no service worker in front of the login', async () => {
    for (const [script, scope] of [
      ['/mcp/sw.js', '/'],
      ['/mcp/sw.js', '/mcp/'],
    ]) {
      const registered = await run(
        `try { await navigator.serviceWorker.register('${script}', { scope: '${scope}' }); return 'registered' } catch (error) { return String(error.name) }`,
      )
      expect(registered).toMatch(/^(SecurityError|TypeError)$/)
    }
    expect(evil.requests.filter(({ headers }) => headers['service-worker'] !== undefined)).toEqual(
      [],
    )
    // The guard does not depend on the sandbox.
    const { cookies } = await context.storageState()
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    const headers = { 'service-worker': 'script', cookie }
    expect((await fetch(`${world.mcpUrl}/sw.js`, { headers })).status).toBe(403)
    const plain = await fetch(`${world.mcpUrl}/sw.js`, { headers: { cookie } })
    expect(plain.status).toBe(200)
    for (const name of ['service-worker-allowed', 'clear-site-data']) {
      expect(plain.headers.get(name)).toBeNull()
    }
  })

  it('a consent that its form posts decides nothing', async () => {
    if (pages) return
    await run(`document.body.innerHTML = '<form method="post" action="${world.publicUrl}/consent"><input name="interaction" value="x"><input name="decision" value="approve"></form>';
      document.forms[0].submit()`)
    await page.getByText('Another website tried to answer for you').waitFor()
  })

  it('a person signs a client in all the same', async () => {
    const app = await context.newPage()
    const arrival = arrivalAt(app, mallory.authorizationUrl())
    await app.goto(mallory.authorizationUrl().href)
    if (pages) {
      // K35: scripts of our own origin could ride on a known browser, so nobody is known.
      await allow(app)
      await typeLogin(app, world.ann)
    } else {
      await app.getByText('ann@example.com').waitFor()
      await app.getByRole('button', { name: 'Allow' }).click()
    }
    readTokens(await mallory.redeem(await arrival))
  })

  it('a person hands a session to a command line all the same', async () => {
    const fresh = await (await chromium.newContext()).newPage()
    await fresh.goto(connect())
    await typeLogin(fresh, world.ann)
    await fresh.getByRole('button', { name: 'Connect to Gateway' }).waitFor()
    await fresh.context().close()
  })
})

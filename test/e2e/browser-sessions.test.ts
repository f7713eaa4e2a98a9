/**
 * People with a real browser at a plain web application behind a real Traefik with the shipped files: they sign in once
 * and return to the very page they opened.
 *
 * @module
 */
import type { BrowserContext, Browser as Chromium, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CLIENT_ID, CLIENT_SECRET, startHostileProvider } from '../support/hostile-provider.ts'
import { startChromium } from './support/chromium.ts'
import { typeLogin } from './support/chromium-login.ts'
import { exchange } from './support/http-exchange.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

/** On one host with the login, the pages of an application are in a sandbox: `shared-host.test.ts`. */
const WORLDS = [
  { where: 'on two hosts over http', options: { twoHosts: true }, cookie: 'gw_session' },
  {
    where: 'on two hosts over https',
    options: { twoHosts: true, tls: true },
    cookie: '__Host-gw_session',
  },
] as const

/** An application without a login of its own: it shows the person, and keeps a cookie. */
function startApplication(): Promise<RecordingServer> {
  return startRecordingServer(
    (request, response) => {
      const { cookie = '', 'x-forwarded-user': user = 'nobody' } = request.headers
      response.setHeader('content-type', 'text/html')
      response.setHeader('set-cookie', 'theme=dark; Path=/')
      response.end(
        `<title>application</title><p id="user">${user}</p><p id="cookies">${cookie}</p>` +
          `<p id="asked">${request.method} ${request.url?.replaceAll('&', '&amp;')}</p>` +
          '<form method="post" action="/mcp/save"><button>Save</button></form>',
      )
    },
    (socket) => {
      socket.on('error', () => {})
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n')
    },
  )
}

describe.skipIf(isSkipped('traefik') || isSkipped('chromium')).each(WORLDS)(
  'a web application $where',
  ({ options, cookie }) => {
    let chromium: Chromium
    let application: RecordingServer
    let world: World
    let context: BrowserContext
    let page: Page

    beforeAll(async () => {
      chromium = await startChromium()
      application = await startApplication()
      world = await startWorld({ front: 'traefik', upstream: application.address, ...options })
    })
    afterAll(async () => {
      await chromium?.close()
      await world?.stop()
      await application?.close()
    })
    beforeEach(async () => {
      context = await chromium.newContext({ ignoreHTTPSErrors: true })
      page = await context.newPage()
    })
    afterEach(() => context.close())

    const address = (path = '') => `${world.mcpUrl}${path}`
    const DEEP = '/reports/2026?quarter=3&name=a%20b%26c&rd=https://evil.test/'

    async function signIn(tab: Page, path: string): Promise<void> {
      await tab.goto(address(path))
      await typeLogin(tab, world.ann)
      await tab.waitForURL(address(path))
    }

    it('is left for the login, and comes back at the very page with the person', async () => {
      await signIn(page, DEEP)
      expect(page.url()).toBe(address(DEEP))
      expect(await page.textContent('#asked')).toBe(`GET /mcp${DEEP}`)
      expect(await page.textContent('#user')).toBe('ann@example.com')
    })

    it('ed9: comes back with the part behind #, also after a wrong password and in a second tab', async () => {
      const second = await context.newPage()
      await page.goto(address('/dash?a=1#/view/CI01'))
      await second.goto(address('/dash?a=1#/view/"<2>'))
      await typeLogin(page, { ...world.ann, password: 'mistyped' })
      await page.getByRole('alert').waitFor()
      await typeLogin(page, world.ann)
      await page.waitForURL(address('/dash?a=1#/view/CI01'))
      expect(await page.textContent('#user')).toBe('ann@example.com')
      await typeLogin(second, world.ann)
      await second.waitForURL(address('/dash?a=1#/view/%22%3C2%3E'))
      expect(world.log()).not.toContain('CI01')
    })

    it('is open from then on, and keeps its own cookies, but sees none of ours', async () => {
      await signIn(page, '')
      await page.goto(address('/next'))
      expect(page.url()).toBe(address('/next'))
      expect(await page.textContent('#cookies')).toBe('theme=dark')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.waitForURL(address('/save'))
      expect(await page.textContent('#asked')).toBe('POST /mcp/save')
      expect(await page.textContent('#user')).toBe('ann@example.com')
      const received = application.requests
        .map(({ rawHeaders }) => rawHeaders.join('\n'))
        .join('\n')
      expect(received).not.toMatch(/gw_|CF_Authorization|eyJ/)
    })

    it('is known by a cookie that no script reads and no other host gets', async () => {
      await signIn(page, '')
      const kept = await context.cookies()
      expect(kept.find(({ name }) => name === cookie)).toMatchObject({
        domain: new URL(world.mcpUrl).hostname,
        path: '/',
        httpOnly: true,
        sameSite: 'Lax',
        secure: world.mcpUrl.startsWith('https:'),
      })
      expect(await page.evaluate('document.cookie')).toBe('theme=dark')
    })

    it('lets tabs that are opened at once each come back to its own page', async () => {
      const paths = ['/one?a=1', '/two?b=2', '/three?c=3']
      const tabs = [page, await context.newPage(), await context.newPage()]
      await Promise.all(tabs.map((tab, index) => tab.goto(address(paths[index]))))
      for (const [index, tab] of tabs.entries()) {
        await typeLogin(tab, world.ann)
        await tab.waitForURL(address(paths[index]))
        expect(await tab.textContent('#user')).toBe('ann@example.com')
      }
    })

    it('is closed again after signing out, and the cookie is worth nothing', async () => {
      await signIn(page, '')
      const before = (await context.cookies()).find(({ name }) => name === cookie)
      const { origin } = new URL(world.mcpUrl)
      const out = origin === world.publicUrl ? '/logout' : '/.gatewarden/logout'
      await page.goto(origin + out)
      expect((await context.cookies()).map(({ name }) => name)).not.toContain(cookie)
      const replayed = await exchange(new URL(world.mcpUrl), {
        headers: { cookie: `${cookie}=${before?.value}` },
      })
      expect(replayed.status).toBe(401)
      await page.goto(address(DEEP))
      await page.getByLabel('Password').waitFor()
    })

    it('is not open to someone who may not use it, who is told so', async () => {
      await page.goto(address(DEEP))
      await typeLogin(page, world.bob)
      await page.getByText('bob@example.com').waitFor()
      expect(await page.locator('#user').count()).toBe(0)
      expect((await context.cookies()).map(({ name }) => name)).not.toContain(cookie)
    })

    it('challenges programs, and never sends them to a login', async () => {
      for (const headers of [
        { accept: 'application/json, text/event-stream' },
        { accept: '*/*' },
        { accept: 'text/html', 'sec-fetch-mode': 'cors' },
        { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      ]) {
        const answer = await exchange(new URL(world.mcpUrl), { headers })
        expect(answer.status).toBe(401)
        expect(answer.headers['www-authenticate']).toMatch(/^Bearer resource_metadata="/)
        expect(answer.headers).not.toHaveProperty('location')
      }
    })
  },
)

describe.skipIf(isSkipped('traefik') || isSkipped('chromium'))(
  'a web application behind a provider elsewhere',
  () => {
    it('ed9: comes back with the part behind #, which the provider does not see', async () => {
      const provider = await startHostileProvider()
      provider.lies.answer = (request, response) => {
        const { pathname, search } = new URL(request.url ?? '', provider.issuer)
        if (pathname !== '/authorize' || search.endsWith('&asked')) return false
        response.setHeader('content-type', 'text/html')
        response.end(`<a href="${`${search}&asked`.replaceAll('&', '&amp;')}">That is me</a>`)
        return true
      }
      const application = await startApplication()
      const world = await startWorld({
        front: 'traefik',
        twoHosts: true,
        upstream: application.address,
        settings: {
          PROVIDER: 'oidc',
          ISSUER_URL: provider.issuer,
          CLIENT_ID,
          CLIENT_SECRET,
        },
        file: { users: undefined },
      })
      const chromium = await startChromium()
      try {
        for (const javaScriptEnabled of [true, false]) {
          const context = await chromium.newContext({ javaScriptEnabled })
          const page = await context.newPage()
          await page.goto(`${world.mcpUrl}/dash?a=1#/view/CI01`)
          await page.waitForURL(`${provider.issuer}/**`)
          expect(new URL(page.url()).hash).toBe('')
          await page.getByText('That is me').click()
          const fragment = javaScriptEnabled ? '#/view/CI01' : ''
          await page.waitForURL(`${world.mcpUrl}/dash?a=1${fragment}`)
          expect(await page.textContent('#user')).toBe('ann@example.com')
          await page.goBack()
          expect(new URL(page.url()).origin).toBe(provider.issuer)
          await context.close()
        }
        expect(world.log()).not.toContain('CI01')
      } finally {
        await chromium.close()
        await world.stop()
        await application.close()
        await provider.stop()
      }
    })
  },
)

describe.skipIf(isSkipped('traefik') || isSkipped('chromium'))('a page of another origin', () => {
  let chromium: Chromium
  let application: RecordingServer
  let evil: RecordingServer
  let world: World

  beforeAll(async () => {
    chromium = await startChromium()
    application = await startApplication()
    world = await startWorld({ front: 'traefik', twoHosts: true, upstream: application.address })
    const target = world.mcpUrl
    evil = await startRecordingServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(
        `<title>evil</title><form method="post" action="${target}/transfer"><button>Win</button></form>`,
      )
    })
  })
  afterAll(async () => {
    await chromium?.close()
    await world?.stop()
    await application?.close()
    await evil?.close()
  })

  it('T28: of the same site, so that the cookie goes along, writes nothing and opens no WebSocket', async () => {
    const page = await chromium.newPage()
    await page.goto(world.mcpUrl)
    await typeLogin(page, world.ann)
    await page.waitForURL(world.mcpUrl)
    const socket = `${world.mcpUrl.replace('http', 'ws')}/socket`
    // The application closes it after the handshake. That the application was asked shows that its own pages may
    // connect.
    const opening = `new Promise((resolve) => {
      const socket = new WebSocket(${JSON.stringify(socket)})
      socket.onclose = () => resolve('closed')
    })`
    await page.evaluate(opening)
    expect(application.requests.at(-1)).toMatchObject({
      url: '/mcp/socket',
      headers: { upgrade: 'websocket', 'x-forwarded-user': 'ann@example.com' },
    })
    const reached = application.requests.length

    const attacker = `http://127.0.0.1:${evil.address.split(':')[1]}/`
    await page.goto(attacker)
    await page.evaluate(opening)
    await page.evaluate(
      `fetch(${JSON.stringify(`${world.mcpUrl}/transfer`)}, { method: 'POST', credentials: 'include', mode: 'no-cors' })`,
    )
    const [answer] = await Promise.all([
      page.waitForResponse(`${world.mcpUrl}/transfer`),
      page.getByRole('button', { name: 'Win' }).click(),
    ])
    expect((await answer.request().allHeaders()).cookie).toContain('gw_session=')
    expect(answer.status()).toBe(403)
    expect(application.requests.length).toBe(reached)
  })
})

/**
 * People with a real browser at a plain web application behind a real nginx with the shipped files, and a command line
 * that opens a WebSocket with their session.
 *
 * @module
 */
import type { Browser as Chromium, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startChromium } from './support/chromium.ts'
import { typeLogin } from './support/chromium-login.ts'
import { exchange } from './support/http-exchange.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { acceptWebSocket, openWebSocket } from './support/websocket.ts'
import { startWorld, type World } from './support/world.ts'

const PATH = '/reports/2026?quarter=3&name=a%20b%26c'

describe.skipIf(isSkipped('nginx') || isSkipped('chromium')).each([
  { twoHosts: false, cookie: 'gw_session' },
  { twoHosts: true, cookie: 'gw_session' },
])('a web application behind nginx, two hosts: $twoHosts', ({ twoHosts, cookie }) => {
  let chromium: Chromium
  let application: RecordingServer
  let world: World

  beforeAll(async () => {
    chromium = await startChromium()
    application = await startRecordingServer((request, response) => {
      const { cookie: cookies = '', 'x-forwarded-user': user = 'nobody' } = request.headers
      response.setHeader('content-type', 'text/html')
      response.setHeader('set-cookie', 'theme=dark; Path=/')
      response.end(
        `<title>application</title><p id="user">${user}</p><p id="cookies">${cookies}</p>` +
          `<p id="asked">${request.method} ${request.url?.replaceAll('&', '&amp;')}</p>` +
          '<form method="post" action="/mcp/save"><button>Save</button></form>',
      )
    }, acceptWebSocket)
    world = await startWorld({
      front: 'nginx',
      twoHosts,
      upstream: application.address,
      settings: { ENABLE_EDGE_AUTH: 'true' },
      changeNginx: (text) => text.replaceAll('#tunnel# ', ''),
    })
  })
  afterAll(async () => {
    await chromium?.close()
    await world?.stop()
    await application?.close()
  })

  /** Calls `run` with a page of a new browser, ann signed in at {@link PATH}. */
  async function signedIn(run: (page: Page) => Promise<void>): Promise<void> {
    const context = await chromium.newContext()
    try {
      const page = await context.newPage()
      await page.goto(world.mcpUrl + PATH)
      await typeLogin(page, world.ann)
      await page.waitForURL(world.mcpUrl + PATH)
      await run(page)
    } finally {
      await context.close()
    }
  }

  it('is left for the login, comes back at the very page, and is open from then on', async () => {
    await signedIn(async (page) => {
      expect(await page.textContent('#asked')).toBe(`GET /mcp${PATH}`)
      expect(await page.textContent('#user')).toBe('ann@example.com')
      await page.goto(`${world.mcpUrl}/next`)
      expect(await page.textContent('#cookies')).toBe('theme=dark')
      // On one host with the login, its pages are in a sandbox, which posts no form: `shared-host.test.ts`.
      if (twoHosts) {
        await page.getByRole('button', { name: 'Save' }).click()
        await page.waitForURL(`${world.mcpUrl}/save`)
        expect(await page.textContent('#asked')).toBe('POST /mcp/save')
        expect(await page.textContent('#user')).toBe('ann@example.com')
      }
      const received = application.requests.flatMap(({ rawHeaders }) => rawHeaders).join('\n')
      expect(received).not.toMatch(/gw_|CF_Authorization|eyJ/)
    })
  })

  it('is closed to the same cookie from a page of another origin, and after signing out', async () => {
    await signedIn(async (page) => {
      const { origin } = new URL(world.mcpUrl)
      const session = (await page.context().cookies()).find(({ name }) => name === cookie)
      const headers = { cookie: `${cookie}=${session?.value}` }
      const post = (origin: string) =>
        exchange(new URL(world.mcpUrl), { method: 'POST', headers: { ...headers, origin } })
      expect((await post(origin)).status).toBe(200)
      expect((await post('http://localhost:6274')).status).toBe(403)
      await page.goto(origin + (twoHosts ? '/.gatewarden/logout' : '/logout'))
      expect((await exchange(new URL(world.mcpUrl), { headers })).status).toBe(401)
    })
  })

  it('sends scripts and programs to no login', async () => {
    for (const headers of [
      { accept: 'application/json, text/event-stream' },
      { accept: 'text/html', 'sec-fetch-mode': 'cors' },
      { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    ]) {
      const answer = await exchange(new URL(world.mcpUrl), { headers })
      expect(answer.status).toBe(401)
      expect(answer.headers).not.toHaveProperty('location')
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer resource_metadata="/)
    }
  })

  it('has a tunnel that opens with the session and nothing else', async () => {
    await signedIn(async (page) => {
      const session = (await page.context().cookies()).find(({ name }) => name === cookie)
      const { origin } = new URL(world.mcpUrl)
      const tunnel = async (headers: Record<string, string>) =>
        (await openWebSocket(new URL('/_ws_tunnel', origin), headers)).status
      const good = { cookie: `${cookie}=${session?.value}` }
      expect(await tunnel(good)).toBe(101)
      expect(application.requests.at(-1)?.headers['x-forwarded-user']).toBe('ann@example.com')
      expect(application.requests.at(-1)?.headers).not.toHaveProperty('cookie')
      expect(await tunnel({ ...good, origin })).toBe(101)
      expect(await tunnel({ ...good, origin: 'https://evil.test' })).toBe(403)
      expect(await tunnel({})).toBe(401)
      expect(await tunnel({ cookie: `${cookie}=nonsense` })).toBe(401)
      expect(await tunnel({ 'x-forwarded-uri': '/', 'x-forwarded-host': 'x' })).toBe(401)
    })
  })
})

/**
 * Edge auth as in docs/edge-auth.md: a command line opens a page in a real Chromium, gets the session of the person who
 * signs in there, and opens a WebSocket with it through Traefik.
 *
 * @module
 */
import axe, { type AxeResults } from 'axe-core'
import type {
  BrowserContext,
  BrowserContextOptions,
  Browser as Chromium,
  Page,
} from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blockOf, readPage } from '../support/documentation.ts'
import { createBrowser, type Landing } from './support/browser.ts'
import { startChromium } from './support/chromium.ts'
import { typeLogin } from './support/chromium-login.ts'
import { type CliListener, startCliListener } from './support/cli-listener.ts'
import { type DocumentedTraefik, startDocumentedTraefik } from './support/documented-traefik.ts'
import { readForms } from './support/html-page.ts'
import { exchange } from './support/http-exchange.ts'
import { person, startTestKeycloak, type TestKeycloak } from './support/keycloak.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { runBash } from './support/shell.ts'
import { isSkipped } from './support/tools.ts'
import { acceptWebSocket, openWebSocket } from './support/websocket.ts'
import { startWorld, type World } from './support/world.ts'

const PAGE = readPage('docs/edge-auth.md')
const MISSING = '{"error":"authentication required"}'
const INVALID = '{"error":"invalid or expired token"}'

/** A service worker that answers for every page of its origin, and records the requests. */
const WORKER = `
const seen = []
const preloads = location.search === '?preload'
addEventListener('install', () => skipWaiting())
addEventListener('activate', (event) => event.waitUntil((async () => {
  if (preloads) await registration.navigationPreload.enable()
  await clients.claim()
})()))
addEventListener('message', ({ source }) => source.postMessage(seen))
addEventListener('fetch', (event) => {
  if (event.request.mode !== 'navigate') return
  event.respondWith((async () => {
    const answer = await (preloads ? event.preloadResponse : fetch(event.request))
    seen.push(answer.status, await answer.clone().text())
    return answer
  })())
})`

/** The session on a connect page. */
const passOn = (page: string) => /<input id="pass" value="([^"]+)"/.exec(page)?.[1] ?? ''

describe.skipIf(isSkipped('traefik') || isSkipped('chromium'))('edge auth behind Traefik', () => {
  let app: RecordingServer
  let traefik: DocumentedTraefik
  let chromium: Chromium
  /** The origin of the protected host. */
  let gateway: string

  beforeAll(async () => {
    app = await startRecordingServer(({ url }, response) => {
      const isWorker = url?.includes('/worker.js') === true
      response.setHeader('content-type', isWorker ? 'text/javascript' : 'text/html')
      if (isWorker) response.setHeader('service-worker-allowed', '/')
      if (url === '/isolated') response.setHeader('cross-origin-opener-policy', 'same-origin')
      response.end(isWorker ? WORKER : '<!doctype html><title>The application</title>')
    }, acceptWebSocket)
    traefik = await startDocumentedTraefik({
      gatewarden: blockOf(PAGE, 'example: gatewarden.yaml'),
      dynamic: blockOf(PAGE, 'example: dynamic.yml'),
      upstream: app.address,
    })
    gateway = new URL(traefik.notes).origin
    // For Chromium the gateway is a public site, and the command line is on this computer.
    const port = new URL(gateway).port
    chromium = await startChromium([
      `--ip-address-space-overrides=127.0.0.1:${port}=public,[::1]:${port}=public`,
    ])
  })
  afterAll(async () => {
    await chromium?.close()
    await traefik?.stop()
    await app?.close()
  })

  /** Opens the address of the command line, and signs ann in. */
  async function openPage(context: BrowserContext, url: string): Promise<Page> {
    const page = await context.newPage()
    await page.goto(url)
    await typeLogin(page, traefik.ann)
    await page.getByRole('heading', { name: 'Connect your terminal?' }).waitFor()
    return page
  }

  /** Calls `run` with a listener, and ann on the connect page, in a new browser context. */
  async function connect(
    run: (parts: { page: Page; cli: CliListener; context: BrowserContext }) => Promise<void>,
    options: BrowserContextOptions & { at?: string; refuse?: string; isAllowed?: boolean } = {},
  ): Promise<void> {
    const { at = gateway, refuse, isAllowed = true, ...rest } = options
    const cli = await startCliListener(at, refuse)
    const context = await chromium.newContext(rest)
    try {
      // The person's answer to Chromium's question.
      if (isAllowed) await context.grantPermissions(['local-network-access'])
      await run({ page: await openPage(context, cli.url), cli, context })
    } finally {
      await context.close()
      await cli.close()
    }
  }

  const tunnel = (headers: Record<string, string>) =>
    openWebSocket(new URL('/_ws_tunnel', gateway), headers)
  const asCookie = (token: string) => ({ cookie: `CF_Authorization=${token}` })

  it('hands a session to a command line by one click, and it opens a WebSocket', async () => {
    await connect(async ({ page, cli, context }) => {
      expect(page.url()).toBe(cli.url)
      expect(await page.locator('dd').allTextContents()).toEqual([
        `${cli.code}Verify that this is the code shown in your terminal`,
        new URL(gateway).host,
        'ann@example.com',
      ])
      expect(cli.requests).toEqual([])
      await page.getByRole('button', { name: 'Connect to Gateway' }).click()
      await page.getByText('Connected. You can close this tab.').waitFor()
      expect(cli.requests).toEqual([`OPTIONS ${gateway}`, `POST application/json ${gateway}`])

      const token = await cli.token
      const before = app.requests.length
      expect(await tunnel(asCookie(token))).toEqual({ status: 101, body: '' })
      expect(app.requests.at(-1)?.headers).toMatchObject({
        'x-forwarded-user': 'ann@example.com',
        'x-forwarded-scopes': 'mcp',
      })
      expect(JSON.stringify(app.requests.at(-1)?.rawHeaders)).not.toContain(token)
      expect((await tunnel({ ...asCookie(token), origin: gateway })).status).toBe(401)
      const ofPage = { cookie: `__Host-gw_session=${token}; gw_session=${token}`, origin: gateway }
      expect((await tunnel(ofPage)).status).toBe(101)
      expect(app.requests.length).toBe(before + 2)

      expect(await tunnel({})).toEqual({ status: 401, body: MISSING })
      expect(await tunnel(asCookie(`${token}x`))).toEqual({ status: 401, body: INVALID })
      expect(await tunnel({ authorization: `Bearer ${token}` })).toEqual({
        status: 401,
        body: MISSING,
      })
      for (const origin of ['https://evil.test', traefik.issuer, 'null']) {
        expect((await tunnel({ ...asCookie(token), origin })).status).toBe(403)
      }
      expect(app.requests.length).toBe(before + 2)

      const other = await context.newPage()
      await other.goto(`${gateway}/.gatewarden/logout`)
      expect((await tunnel(asCookie(token))).body).toBe(INVALID)
      expect(app.requests.length).toBe(before + 2)
      for (const secret of [token, cli.code]) expect(traefik.log()).not.toContain(secret)
    })
  })

  it("does the same on the gateway's own host", async () => {
    await connect(
      async ({ page, cli }) => {
        await page.getByRole('button', { name: 'Connect to Gateway' }).click()
        const token = await cli.token
        expect(cli.requests.at(-1)).toBe(`POST application/json ${traefik.issuer}`)
        expect((await tunnel(asCookie(token))).status).toBe(101)
      },
      { at: traefik.issuer },
    )
  })

  it('has other ways where the browser does not let the page reach the command line', async () => {
    await connect(
      async ({ page, cli }) => {
        await page.getByRole('button', { name: 'Connect to Gateway' }).click()
        await page.getByText('Could not reach the program on this computer').waitFor()
        expect(cli.requests).toEqual([])
        await expectAccessible(page)
        const pass = await page.getByLabel('Or give this pass to the program').inputValue()
        expect((await tunnel(asCookie(pass))).status).toBe(101)

        await page.getByRole('button', { name: 'Go to the program' }).click()
        await page.waitForURL(`http://127.0.0.1:${cli.port}/callback`)
        expect(await page.locator('body').textContent()).toContain('{"ok":true}')
        expect(cli.requests).toEqual([`POST text/plain ${gateway}`])
        expect(await cli.token).toBe(pass)
      },
      { isAllowed: false },
    )
  })

  it('works without scripts', async () => {
    await connect(
      async ({ page, cli }) => {
        await page.getByRole('button', { name: 'Connect to Gateway' }).click()
        await page.waitForURL(`http://127.0.0.1:${cli.port}/callback`)
        expect((await tunnel(asCookie(await cli.token))).status).toBe(101)
      },
      { javaScriptEnabled: false },
    )
  })

  it('says so when nobody listens any more, and shows what the command line says', async () => {
    await connect(async ({ page, cli }) => {
      await cli.close()
      await page.getByRole('button', { name: 'Connect to Gateway' }).click()
      await page.getByText('Could not reach the program on this computer').waitFor()
      await page.getByRole('button', { name: 'Copy' }).click()
      await page.getByRole('button', { name: /Copied|Press Ctrl-C/ }).waitFor()
    })
    await connect(
      async ({ page, cli }) => {
        await page.getByRole('button', { name: 'Connect to Gateway' }).click()
        await page.getByText('refused: I gave up <b>long</b> ago').waitFor()
        expect(cli.requests.length).toBe(2)
      },
      { refuse: 'I gave up <b>long</b> ago' },
    )
  })

  it('sends nothing to somebody whose code is another', async () => {
    await connect(async ({ page, cli }) => {
      await page.getByRole('link', { name: 'Not my code' }).click()
      await page.getByText('Nothing was sent. You can close this tab.').waitFor()
      expect(await page.getByRole('button', { name: 'Connect to Gateway' }).isVisible()).toBe(false)
      expect(cli.requests).toEqual([])
    })
  })

  it.each([
    ['', '/'],
    // An opener policy separates only pages with different policies.
    [', which sends the same opener policy', '/isolated'],
  ])('keeps the session from the application on the same origin%s', async (_how, path) => {
    await connect(async ({ page: connected, cli, context }) => {
      const token = passOn(await connected.content())
      expect(token).not.toBe('')
      const page = await context.newPage()
      await page.goto(gateway + path)
      expect(await page.title()).toBe('The application')
      const read = await page.evaluate(async (url) => {
        const opened = window.open(url)
        await new Promise((resolve) => setTimeout(resolve, 1_500))
        const frame = document.body.appendChild(document.createElement('iframe'))
        frame.src = url
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        const looked = [
          () => opened?.document.body.innerHTML,
          () => frame.contentDocument?.body.innerHTML,
        ]
        const found = looked.map((look) => {
          try {
            return look() ?? ''
          } catch {
            return ''
          }
        })
        return [...found, await (await fetch(url)).text()]
      }, cli.url)
      expect(read[2]).toContain('a person must open this address, not a web page')
      for (const text of read) expect(text).not.toContain(token)
    })
  })

  it.each([
    ['', ''],
    [' that has pages preloaded', '?preload'],
  ])('keeps it from a service worker of the application, too%s', async (_which, query) => {
    await connect(async ({ page: connected, cli, context }) => {
      const token = passOn(await connected.content())
      const page = await context.newPage()
      await page.goto(gateway)
      await page.evaluate(async (search) => {
        // The check refuses a worker that could claim our addresses, but for a proxy that passes this header on.
        const refused = await navigator.serviceWorker.register('/worker.js').catch(() => 'refused')
        if (refused !== 'refused') throw new Error('a worker claims the whole host')
        await navigator.serviceWorker.register(`/app/worker.js${search}`, { scope: '/' })
        const controlled = new Promise((resolve) => {
          navigator.serviceWorker.addEventListener('controllerchange', resolve)
        })
        if (!navigator.serviceWorker.controller) await controlled
      }, query)
      const again = await context.newPage()
      await again.goto(cli.url)
      // A page or JSON: Chromium decides whether a worker's request looks like a navigation.
      await again.getByText('a person must open this address, not a web page').waitFor()
      const seen = await page.evaluate(
        () =>
          new Promise<unknown>((resolve) => {
            navigator.serviceWorker.addEventListener('message', ({ data }) => resolve(data))
            navigator.serviceWorker.controller?.postMessage('what did you see?')
          }),
      )
      expect(seen).toEqual([403, expect.stringContaining('a person must open this address')])
      expect(JSON.stringify(seen)).not.toContain(token)
    })
  })

  it.each(['light', 'dark'] as const)(
    'is accessible on a small screen (%s)',
    async (colorScheme) => {
      await connect(
        async ({ page }) => {
          await expectAccessible(page)
          await page.getByText('It does not work?').click()
          await expectAccessible(page)
        },
        { colorScheme, viewport: { width: 320, height: 640 } },
      )
    },
  )

  it('passes the self-test of its page', async () => {
    await connect(async ({ page }) => {
      const { output, errors } = await runBash(blockOf(PAGE, 'script: self-test'), {
        environment: { URL: gateway, TOKEN: passOn(await page.content()) },
        folder: traefik.folder,
      })
      expect(errors).toBe('')
      expect(output).toBe(blockOf(PAGE, 'output: self-test'))
    })
  })

  it('fails it without a pass', async () => {
    const { output } = await runBash(blockOf(PAGE, 'script: self-test'), {
      environment: { URL: gateway, TOKEN: 'none' },
      folder: traefik.folder,
    })
    expect(output).toContain('WRONG somebody who is signed in: 302, not 200\n')
    expect(output).toContain('WRONG with the pass: refused (401), not open\n')
    expect(output).toMatch(/^\d wrong$/m)
  })
})

describe.skipIf(isSkipped('traefik') || isSkipped('chromium'))('edge auth over https', () => {
  let world: World
  let chromium: Chromium

  beforeAll(async () => {
    world = await startWorld({
      front: 'traefik',
      tls: true,
      twoHosts: true,
      settings: { ENABLE_EDGE_AUTH: 'true' },
    })
    chromium = await startChromium()
  })
  afterAll(async () => {
    await chromium?.close()
    await world?.stop()
  })

  it.each(['Connect to Gateway', 'Go to the program'])(
    'reaches a plain listener: %s',
    async (way) => {
      const gateway = new URL(world.mcpUrl).origin
      const cli = await startCliListener(gateway)
      const context = await chromium.newContext({ ignoreHTTPSErrors: true })
      try {
        await context.grantPermissions(['local-network-access'])
        const page = await context.newPage()
        await page.goto(cli.url)
        await typeLogin(page, world.ann)
        const heading = page.getByRole('heading', { name: 'Connect your terminal?' })
        await heading.waitFor()
        if (way === 'Go to the program') await page.getByText('It does not work?').click()
        await page.getByRole('button', { name: way }).click()
        const token = await cli.token
        expect(cli.requests.at(-1)).toMatch(new RegExp(`^POST [\\w/]+ ${gateway}$`))
        const call = await exchange(new URL(world.mcpUrl), {
          headers: { cookie: `CF_Authorization=${token}` },
        })
        expect([401, 403]).not.toContain(call.status)
      } finally {
        await context.close()
        await cli.close()
      }
    },
  )
})

describe.skipIf(isSkipped('traefik') || isSkipped('keycloak'))('edge auth with Keycloak', () => {
  let keycloak: TestKeycloak
  let world: World

  beforeAll(async () => {
    keycloak = await startTestKeycloak()
    world = await startWorld({
      front: 'traefik',
      settings: { ...keycloak.settings, ENABLE_EDGE_AUTH: 'true' },
      file: { users: {}, allow: { domains: ['example.com'] } },
    })
  }, 300_000)
  afterAll(async () => {
    await world?.stop()
    await keycloak?.stop()
  })

  it('needs no client of its own', async () => {
    const cli = await startCliListener(world.publicUrl)
    try {
      const browser = createBrowser()
      const login = pageOf(await browser.open(new URL(cli.url)))
      expect(login.url.origin).toBe(new URL(keycloak.issuer).origin)
      const [form] = readForms(login.body)
      if (!form) throw new Error('Keycloak shows no form')
      const { name, password } = person('alice')
      const page = pageOf(
        await browser.submit({ page: login, form, fields: { username: name, password } }),
      )
      expect(page.url.href).toBe(cli.url)
      expect(page.body).toContain('alice@example.com')
      const call = await exchange(new URL(world.mcpUrl), {
        headers: { cookie: `CF_Authorization=${passOn(page.body)}` },
      })
      expect([401, 403]).not.toContain(call.status)
    } finally {
      await cli.close()
    }
  })
})

function pageOf(landing: Landing) {
  if (landing.kind !== 'page') throw new Error(`arrived at ${landing.url.href}`)
  return landing.page
}

/** Checks that axe finds no violation, and that the page does not scroll sideways. */
async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>('axe.run(document)')
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
  const width = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
  expect(await page.evaluate<number>(width)).toBe(0)
}

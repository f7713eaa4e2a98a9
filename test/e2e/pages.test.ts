/**
 * The pages of the running program in a real Chromium: accessible, on every screen, by keyboard alone, and without
 * scripts. `scripts/page-pictures.ts` checks every variant of them; here the program serves them.
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
import { startChromium } from './support/chromium.ts'
import { allow, arrivalAt, signInWithChromium, typeLogin } from './support/chromium-login.ts'
import {
  type HandClient,
  initializeWith,
  readTokens,
  registerClient,
} from './support/hand-client.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { startTokenCommand } from './support/token-command.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

describe.skipIf(isSkipped('chromium'))('the pages', () => {
  let chromium: Chromium
  let world: World
  let app: RecordingServer
  let client: HandClient

  beforeAll(async () => {
    chromium = await startChromium()
    app = await startRecordingServer((_request, response) => response.end('You are connected.'))
    world = await startWorld({ front: 'builtin' })
    client = await registerClient({
      issuer: world.publicUrl,
      resource: world.mcpUrl,
      redirectUri: `http://${app.address}/callback`,
    })
  })
  afterAll(async () => {
    await chromium?.close()
    await world?.stop()
    await app?.close()
  })

  /** Calls `run` with a new browser context. */
  async function inContext(
    options: BrowserContextOptions,
    run: (page: Page, context: BrowserContext) => Promise<void>,
  ): Promise<void> {
    const context = await chromium.newContext(options)
    try {
      await run(await context.newPage(), context)
    } finally {
      await context.close()
    }
  }

  const openConsent = (page: Page) => page.goto(client.authorizationUrl().href)

  /** The way to each page, and its status. */
  const pages: Readonly<Record<string, (page: Page) => Promise<number | undefined>>> = {
    consent: async (page) => (await openConsent(page))?.status(),
    login: async (page) => {
      await openConsent(page)
      await allow(page)
      return (await page.reload())?.status()
    },
    error: async (page) => (await page.goto(`${world.publicUrl}/authorize?client_id=x`))?.status(),
    // A form that is sent without a session: no redirect could repeat it.
    'sign-in-link': async (page) => {
      const before = new URL('/before', world.mcpUrl).href
      const form = `<form method="post" action="${world.mcpUrl}"><button>Send</button></form>`
      await page.route(before, (route) => route.fulfill({ contentType: 'text/html', body: form }))
      await page.goto(before)
      const [answer] = await Promise.all([
        page.waitForResponse(world.mcpUrl),
        page.getByRole('button', { name: 'Send' }).click(),
      ])
      await page.waitForURL(world.mcpUrl)
      return answer.status()
    },
  }
  const statuses: Readonly<Record<string, number>> = {
    consent: 200,
    login: 200,
    error: 400,
    'sign-in-link': 401,
  }

  describe.each([
    { device: 'desktop', colorScheme: 'light', width: 1280 },
    { device: 'desktop', colorScheme: 'dark', width: 1280 },
    { device: 'phone', colorScheme: 'light', width: 375 },
    { device: 'phone', colorScheme: 'dark', width: 375 },
  ] as const)('on a $colorScheme $device', ({ device, colorScheme, width }) => {
    const screen: BrowserContextOptions = {
      colorScheme,
      viewport: { width, height: 800 },
      ...(device === 'phone' && { hasTouch: true, isMobile: true, deviceScaleFactor: 2 }),
    }

    it.each(Object.keys(pages))('%s is accessible and fits', async (name) => {
      await inContext(screen, async (page) => {
        expect(await pages[name]?.(page)).toBe(statuses[name])
        expect(await violations(page)).toEqual([])
        expect(await overflow(page)).toBe(0)
        const background = await page.evaluate('getComputedStyle(document.body).backgroundColor')
        expect(brightness(String(background)) > 128).toBe(colorScheme === 'light')
        await page.setViewportSize({ width: 320, height: 640 })
        expect(await overflow(page)).toBe(0)
      })
    })
  })

  it('are answered by keyboard alone: Deny comes first', async () => {
    await inContext({}, async (page) => {
      await openConsent(page)
      const arrival = arrivalAt(page, client.authorizationUrl())
      await page.keyboard.press('Tab')
      expect(await focused(page)).toEqual({ text: 'Deny', outlined: true })
      await page.keyboard.press('Enter')
      expect((await arrival).searchParams.get('error')).toBe('access_denied')
    })
  })

  it('lead through the whole login by keyboard alone', async () => {
    await inContext({}, async (page) => {
      await openConsent(page)
      // Allow is inert for the first second, for the keyboard as well (at18).
      await page.getByRole('button', { name: 'Allow' }).waitFor()
      const arrival = arrivalAt(page, client.authorizationUrl())
      await page.keyboard.press('Tab')
      await page.keyboard.press('Tab')
      expect(await focused(page)).toEqual({ text: 'Allow', outlined: true })
      await page.keyboard.press('Enter')
      // The name has the focus when the page opens.
      await page.locator('#username:focus').waitFor()
      await page.keyboard.type(world.ann.name)
      await page.keyboard.press('Tab')
      await page.keyboard.type(world.ann.password)
      await page.keyboard.press('Enter')
      readTokens(await client.redeem(await arrival))
    })
  })

  it('fh2: ask a person whom the browser knows for consent alone, without scripts too', async () => {
    await inContext({ javaScriptEnabled: false }, async (page) => {
      readTokens(
        await client.redeem(await signInWithChromium(page, client.authorizationUrl(), world.ann)),
      )
      const second = await registerClient({
        issuer: world.publicUrl,
        resource: world.mcpUrl,
        redirectUri: `http://${app.address}/second`,
      })
      const arrival = arrivalAt(page, second.authorizationUrl())
      await page.goto(second.authorizationUrl().href)
      await page.getByText('ann@example.com').waitFor()
      await page.getByRole('button', { name: 'Allow' }).click()
      readTokens(await second.redeem(await arrival))
      await page.goto(second.authorizationUrl().href)
      await page.getByRole('button', { name: 'Use another account' }).click()
      await page.getByText('you will be asked to sign in next').waitFor()
      await allow(page)
    })
  })

  it('fp2: show where the answer goes and both answers on a phone, without scrolling', async () => {
    await inContext({ viewport: { width: 375, height: 640 } }, async (page) => {
      await openConsent(page)
      for (const name of ['Deny', 'Allow']) {
        const box = await page.getByRole('button', { name }).boundingBox()
        expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThanOrEqual(640)
      }
    })
  })

  it('fp3: show the password that was typed, and let people cancel', async () => {
    await inContext({}, async (page) => {
      await openConsent(page)
      await allow(page)
      const password = page.getByLabel('Password')
      await password.fill('plum')
      await page.getByRole('button', { name: 'Show password' }).click()
      expect(await password.getAttribute('type')).toBe('text')
      await page.getByRole('button', { name: 'Hide password' }).click()
      expect(await password.getAttribute('type')).toBe('password')
      const arrival = arrivalAt(page, client.authorizationUrl())
      await page.getByRole('button', { name: 'Cancel' }).click()
      expect((await arrival).searchParams.get('error')).toBe('access_denied')
    })
  })

  it('need no scripts', async () => {
    await inContext({ javaScriptEnabled: false }, async (page) => {
      const callback = await signInWithChromium(page, client.authorizationUrl(), world.ann)
      readTokens(await client.redeem(callback))
    })
  })

  it('RFC 8628: let a person connect a terminal that shows a code', async () => {
    await inContext({ viewport: { width: 375, height: 640 } }, async (page) => {
      const terminal = startTokenCommand(world.mcpUrl)
      const address = await terminal.says(/Or open: +(\S+)/)
      await page.goto(address)
      expect(await violations(page)).toEqual([])
      expect(await overflow(page)).toBe(0)
      await page.getByRole('button', { name: 'Continue' }).click()
      const code = new URL(address).searchParams.get('user_code') ?? ''
      await page.getByText(code).waitFor()
      expect(await violations(page)).toEqual([])
      expect(await overflow(page)).toBe(0)
      await allow(page)
      await typeLogin(page, world.ann)
      await page.getByText('Your device is connected').waitFor()
      const answer = await initializeWith(await terminal.output, world.mcpUrl)
      expect(answer.status).toBe(200)
    })
  }, 60_000)

  it('say a mistake aloud and tie it to the field', async () => {
    await inContext({}, async (page) => {
      await openConsent(page)
      await allow(page)
      await page.getByLabel('Name').fill('nobody')
      await page.getByLabel('Password').fill('wrong')
      await page.keyboard.press('Enter')
      const alert = page.getByRole('alert')
      await alert.waitFor()
      const password = page.getByLabel('Password')
      expect(await password.getAttribute('aria-describedby')).toBe(await alert.getAttribute('id'))
      expect(await password.evaluate((element) => element === document.activeElement)).toBe(true)
      expect(await violations(page)).toEqual([])
    })
  })

  it('load nothing from anywhere', async () => {
    await inContext({}, async (page) => {
      const asked: string[] = []
      page.on('request', (request) => asked.push(request.resourceType()))
      for (const open of Object.values(pages)) await open(page)
      expect(new Set(asked)).toEqual(new Set(['document']))
    })
  })
})

/** The violations that axe-core finds, as `rule: elements`; an undecided contrast counts. */
async function violations(page: Page): Promise<readonly string[]> {
  // Runs outside the page, whose policy would stop a script.
  await page.evaluate(axe.source)
  const { violations: found, incomplete } = await page.evaluate<AxeResults>('axe.run(document)')
  const undecided = incomplete.filter(({ id }) => id === 'color-contrast')
  return [...found, ...undecided].map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  )
}

/** Pixels by which the page scrolls sideways. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
}

/** The element with the focus, and whether its focus is visible. */
function focused(page: Page): Promise<{ text: string | undefined; outlined: boolean }> {
  return page.evaluate(() => {
    const element = document.activeElement
    return {
      text: element?.textContent?.trim(),
      outlined: element !== null && getComputedStyle(element).outlineStyle !== 'none',
    }
  })
}

/** The brightness of an `rgb(...)`, from 0 to 255. */
function brightness(colour: string): number {
  const parts = colour.match(/\d+/g)?.slice(0, 3).map(Number) ?? []
  return parts.reduce((sum, part) => sum + part, 0) / 3
}

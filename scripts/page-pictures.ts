/**
 * Takes the pictures of the pages in `docs/images` from the running program, in the states of `pictures/states.ts`, and
 * checks every page in a real browser, also with the longest and most hostile words: accessibility (axe-core), scrolling
 * at 320 px and with doubled text, size of targets, and the page's own policy. Exits with 1 if a check fails.
 *
 * Run: `npm run pictures -- [directory for a picture of every state]`. `CHROMIUM` names another browser; `STATES_ONLY=1`
 * leaves out the words that only the tests have; `STATE` names the one state to look at, and `PAGES` is a part of the
 * paths (`/long/consent`) of the pages with such words to look at.
 *
 * @module
 */
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import axe, { type AxeResults } from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { pageHeaders } from '../src/pages/styles.ts'
import { foreign, long, markup, realistic, type Variant, variants } from '../test/pages/variants.ts'
import { type Gateway, startGateway } from './pictures/gateway.ts'
import { type State, states } from './pictures/states.ts'

const pages = new Map<string, Variant>()
for (const [words, kind] of [
  [realistic, 'realistic'],
  [markup, 'markup'],
  [long, 'long'],
  [foreign, 'foreign'],
] as const) {
  for (const variant of variants(words)) {
    const path = `/${kind}/${variant.name}`
    if (path.includes(process.env.PAGES ?? '')) pages.set(path, variant)
  }
}

const schemes = ['light', 'dark'] as const
const widths = { desktop: 1280, phone: 375 } as const
/** The pictures of the documentation, by state, scheme and device. */
const documented: Readonly<Record<string, string>> = {
  'consent light desktop': 'consent-light.png',
  'consent dark desktop': 'consent-dark.png',
  'consent-first light phone': 'consent-phone.png',
  'login-wrong light desktop': 'login.png',
  'refused light desktop': 'refused.png',
  'error light desktop': 'error.png',
  'connect light desktop': 'connect.png',
  'branded consent light phone': 'consent-branded.png',
}
const imageDirectory = join(import.meta.dirname, '..', 'docs', 'images')
const everyPicture = process.argv[2]

const problems: string[] = []
let views = 0

async function checkWidth(page: Page, where: string): Promise<void> {
  const tooWide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  if (tooWide > 0) problems.push(`${where}: scrolls sideways by ${tooWide} px`)
}

async function checkTargets(page: Page, where: string): Promise<void> {
  const small = await page.$$eval('a, button, input:not([type=hidden])', (elements) =>
    elements
      // A label around a box is the target of the box.
      .map((element) => ({
        element,
        box: (element.closest('label') ?? element).getBoundingClientRect(),
      }))
      .filter(({ box }) => box.width < 44 || box.height < 44)
      .map(({ element, box }) => `${element.tagName} ${box.width} x ${box.height} px`),
  )
  for (const target of small) problems.push(`${where}: target too small: ${target}`)
}

async function checkFocus(page: Page, where: string): Promise<void> {
  const count = await page.locator('a, button, input:not([type=hidden])').count()
  for (let index = 0; index < count; index += 1) {
    await page.keyboard.press('Tab')
    const outline = await page.evaluate(() =>
      document.activeElement === null || document.activeElement === document.body
        ? 'nothing focused'
        : getComputedStyle(document.activeElement).outlineStyle,
    )
    // After the last control the focus is in the browser itself; only an autofocused page gets there.
    if (outline === 'none') problems.push(`${where}: focus is not visible`)
  }
}

async function checkAxe(page: Page, where: string): Promise<void> {
  await page.evaluate(axe.source)
  const { violations, incomplete } = await page.evaluate<AxeResults>('axe.run(document)')
  const undecided = incomplete.filter(({ id }) => id === 'color-contrast')
  for (const { id, nodes } of [...violations, ...undecided]) {
    // These pages lead on by their script; they wait a second for it, and there is nothing to read meanwhile.
    if (id === 'meta-refresh' && where.includes('/fragment-')) continue
    problems.push(`${where}: axe ${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
  }
}

/** Waits for the buttons that give something away: they appear after a second. */
async function settle(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    document.getAnimations().every(({ playState }) => playState === 'finished'),
  )
}

/** A page that reports what no page of ours may do. */
async function openPage(context: BrowserContext, where: string): Promise<Page> {
  const page = await context.newPage()
  page.on('console', (message) => {
    // The browser says so of each answer that is an error.
    if (!/^Failed to load resource/.test(message.text())) {
      problems.push(`${where}: console: ${message.text()}`)
    }
  })
  page.on('pageerror', (error) => problems.push(`${where}: script ran: ${error.message}`))
  page.on('dialog', (dialog) => {
    problems.push(`${where}: a dialog opened`)
    void dialog.dismiss()
  })
  return page
}

async function examine(page: Page, where: string): Promise<void> {
  await settle(page)
  await checkAxe(page, where)
  await checkTargets(page, where)
  await checkWidth(page, where)
}

async function checkSmallAndLarge(page: Page, where: string): Promise<void> {
  await page.setViewportSize({ width: 320, height: 640 })
  await checkWidth(page, `${where}, 320 px`)
  await page.setViewportSize({ width: 640, height: 640 })
  await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'))
  await checkWidth(page, `${where}, doubled text`)
}

async function look(context: BrowserContext, path: string, where: string): Promise<void> {
  const page = await openPage(context, where)
  // The pages that lead on by a script never finish loading: their next address has nothing (204).
  await page.goto(path, { waitUntil: 'commit' })
  await page.locator('main').waitFor()
  await examine(page, where)
  await saveEvery(page, where)
  await checkFocus(page, where)
  await checkSmallAndLarge(page, where)
  await page.close()
}

/** The part of a phone's screen that a browser leaves. */
const PHONE_HEIGHT = 640

/** Both answers of the consent page are there without scrolling (case fp2). */
async function checkFold(page: Page, where: string): Promise<void> {
  const bottoms = await page.$$eval('button[name=decision]', (buttons) =>
    buttons
      .filter((button) => /^(?:approve|deny)$/.test(button.getAttribute('value') ?? ''))
      .map((button) => button.getBoundingClientRect().bottom + window.scrollY),
  )
  const lowest = Math.max(0, ...bottoms)
  if (lowest > PHONE_HEIGHT) problems.push(`${where}: a button ends at ${Math.round(lowest)} px`)
}

async function saveEvery(page: Page, where: string): Promise<void> {
  if (!everyPicture) return
  const name = `${where.replaceAll(/[ /]/g, '_')}.png`
  await page.screenshot({ path: join(everyPicture, name), fullPage: true })
}

async function takePicture(
  context: BrowserContext,
  { state, gateway, where }: { state: State; gateway: Gateway; where: string },
): Promise<void> {
  const page = await openPage(context, where)
  await state(page, gateway)
  await examine(page, where)
  if (/^(?:branded )?consent.*phone$/.test(where)) await checkFold(page, where)
  await page.evaluate(() => window.scrollTo(0, 0))
  const picture = documented[where]
  if (picture) await page.screenshot({ path: join(imageDirectory, picture), fullPage: true })
  await saveEvery(page, where)
  await checkSmallAndLarge(page, where)
}

/** `STATE` names one state, for a quick look at it. */
const isWanted = ([name]: [string, State]) =>
  process.env.STATE === undefined || process.env.STATE === name

/** Takes every state in a browser that has never been here. */
async function takePictures(browser: Browser, gateway: Gateway, prefix: string): Promise<void> {
  for (const colorScheme of schemes) {
    for (const [device, width] of Object.entries(widths)) {
      for (const [name, state] of Object.entries(states).filter(isWanted)) {
        const context = await browser.newContext({
          colorScheme,
          viewport: { width, height: device === 'phone' ? PHONE_HEIGHT : 800 },
          deviceScaleFactor: 2,
        })
        context.setDefaultTimeout(20_000)
        const where = `${prefix}${name} ${colorScheme} ${device}`
        try {
          await takePicture(context, { state, gateway, where })
        } catch (error) {
          problems.push(`${where}: ${error instanceof Error ? error.message : error}`)
        }
        await context.close()
        views += 1
      }
    }
  }
}

const server = createServer((request, response) => {
  const variant = pages.get(request.url ?? '')
  // Every other address answers with 204, so that the browser stays on the page.
  if (!variant) return response.writeHead(204).end()
  return response
    .writeHead(200, variant.headers ?? pageHeaders({ navigatesAway: variant.navigatesAway }))
    .end(variant.html)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('the server has no port')

mkdirSync(imageDirectory, { recursive: true })
if (everyPicture) mkdirSync(everyPicture, { recursive: true })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
const LOGO =
  'data:image/svg+xml;base64,' +
  Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><circle cx="20" cy="20" r="18" fill="#e8590c"/><path d="M12 26 20 10l8 16Z" fill="#fff"/></svg>',
  ).toString('base64')
const BRAND = {
  name: 'Example Inc.',
  logo: LOGO,
  color: 'e8590c',
  support: 'help@example.com',
  login_help: 'Forgot your password? Call the front desk at 1234.',
}

try {
  for (const [prefix, brand] of [['', undefined] as const, ['branded ', BRAND] as const]) {
    const gateway = await startGateway(brand)
    try {
      await takePictures(browser, gateway, prefix)
    } finally {
      await gateway.stop()
    }
  }
  for (const colorScheme of process.env.STATES_ONLY ? [] : schemes) {
    for (const [device, width] of Object.entries(widths)) {
      const context = await browser.newContext({
        baseURL: `http://127.0.0.1:${address.port}`,
        colorScheme,
        viewport: { width, height: 800 },
        deviceScaleFactor: 2,
      })
      for (const path of pages.keys()) {
        await look(context, path, `${path} ${colorScheme} ${device}`)
        views += 1
      }
      await context.close()
    }
  }
} finally {
  await browser.close()
  server.close()
}

for (const problem of problems) console.error(problem)
console.log(`${views} views, ${problems.length} problems`)
process.exitCode = problems.length > 0 ? 1 : 0

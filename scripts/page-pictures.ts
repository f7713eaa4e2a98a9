/**
 * Checks every page in a real browser: accessibility (axe-core), scrolling at 320 px and with doubled text, size of
 * targets, and the page's own policy; then takes the pictures in `docs/images`. Exits with 1 if a check fails.
 *
 * Run: `npx tsx scripts/page-pictures.ts [directory for a picture of every page]`. `CHROMIUM` names another browser.
 *
 * @module
 */
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import axe, { type AxeResults } from 'axe-core'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { pageHeaders } from '../src/pages/styles.ts'
import { long, markup, realistic, type Variant, variants } from '../test/pages/variants.ts'

const pages = new Map<string, Variant>()
for (const [words, kind] of [
  [realistic, 'realistic'],
  [markup, 'markup'],
  [long, 'long'],
] as const) {
  for (const variant of variants(words)) pages.set(`/${kind}/${variant.name}`, variant)
}

const schemes = ['light', 'dark'] as const
const widths = { desktop: 1280, phone: 375 } as const
const documented: Readonly<Record<string, string>> = {
  '/realistic/consent light desktop': 'consent-light.png',
  '/realistic/consent dark desktop': 'consent-dark.png',
  '/realistic/consent-loopback light phone': 'consent-phone.png',
  '/realistic/login-wrong light desktop': 'login.png',
  '/realistic/error-client light desktop': 'error.png',
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
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
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
    problems.push(`${where}: axe ${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
  }
}

/** Waits for the buttons that give something away: they appear after a second. */
async function settle(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    document.getAnimations().every(({ playState }) => playState === 'finished'),
  )
}

async function look(context: BrowserContext, path: string, where: string): Promise<void> {
  const page = await context.newPage()
  page.on('console', (message) => problems.push(`${where}: console: ${message.text()}`))
  page.on('pageerror', (error) => problems.push(`${where}: script ran: ${error.message}`))
  page.on('dialog', (dialog) => {
    problems.push(`${where}: a dialog opened`)
    void dialog.dismiss()
  })
  await page.goto(path)
  await settle(page)
  await checkAxe(page, where)
  await checkTargets(page, where)
  await checkFocus(page, where)
  await checkWidth(page, where)
  await page.reload()
  await settle(page)
  const picture = documented[where]
  if (picture) await page.screenshot({ path: join(imageDirectory, picture), fullPage: true })
  if (everyPicture) {
    const name = `${where.slice(1).replaceAll(/[/ ]/g, '_')}.png`
    await page.screenshot({ path: join(everyPicture, name), fullPage: true })
  }
  await page.setViewportSize({ width: 320, height: 640 })
  await checkWidth(page, `${where}, 320 px`)
  await page.setViewportSize({ width: 640, height: 640 })
  await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'))
  await checkWidth(page, `${where}, doubled text`)
  await page.close()
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
try {
  for (const colorScheme of schemes) {
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
console.log(`${views} views of ${pages.size} pages, ${problems.length} problems`)
process.exitCode = problems.length > 0 ? 1 : 0

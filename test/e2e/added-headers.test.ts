/**
 * People behind a real nginx that adds security headers to every answer of its site, as many administrators let it: in a
 * real Chromium, every page and form of ours still leads on (decision K41).
 *
 * @module
 */
import type { BrowserContext, Browser as Chromium, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startChromium } from './support/chromium.ts'
import { arrivalAt, typeLogin } from './support/chromium-login.ts'
import { startCliListener } from './support/cli-listener.ts'
import { type HandClient, readTokens, registerClient } from './support/hand-client.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

/** helmet's defaults (version 8), without those that only matter over TLS. */
const HELMET = {
  'Content-Security-Policy':
    "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'SAMEORIGIN',
}

/** Headers that administrators add to a whole site, by the name of the set. */
const ADDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  helmet: HELMET,
  strict: {
    'Content-Security-Policy':
      "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; style-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    'Referrer-Policy': 'same-origin',
    'X-Frame-Options': 'DENY',
  },
  isolated: {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
  },
  powerless: {
    'Content-Security-Policy': "default-src 'self'",
    'Permissions-Policy':
      'accelerometer=(), camera=(), clipboard-write=(), geolocation=(), local-network-access=(), publickey-credentials-get=(), usb=()',
    'Referrer-Policy': 'strict-origin',
  },
  'no-forms-away': {
    'Content-Security-Policy': "form-action 'self'",
    'Referrer-Policy': 'unsafe-url',
  },
}

const SETS = Object.keys(ADDED)

/** The directives that add the headers of the set that the cookie `walk` names, at the heads of the site's servers. */
function addHeaders(text: string, name: string): string {
  if (name !== 'two-hosts.conf') return text
  const names = [...new Set(SETS.flatMap((set) => Object.keys(ADDED[set] ?? {})))]
  const variable = (header: string) => `$added_${header.toLowerCase().replaceAll('-', '_')}`
  const maps = names.map((header) => {
    const values = SETS.map((set) => [set, ADDED[set]?.[header]] as const).filter(([, v]) => v)
    const lines = values.map(([set, value]) => `    ${set} "${value}";`)
    return `map $cookie_walk ${variable(header)} {\n    default "";\n${lines.join('\n')}\n}`
  })
  const directives = names.map((header) => `add_header ${header} ${variable(header)} always;`)
  const marker = 'include gatewarden/server.conf;'
  return `${maps.join('\n')}\n${text.replaceAll(marker, `${marker}\n${directives.join('\n')}`)}`
}

describe.skipIf(isSkipped('nginx') || isSkipped('chromium'))(
  'behind a site that adds security headers',
  () => {
    let chromium: Chromium
    let application: RecordingServer
    let program: RecordingServer
    let world: World
    let client: HandClient
    let context: BrowserContext
    let page: Page

    beforeAll(async () => {
      chromium = await startChromium()
      const show = (title: string) =>
        startRecordingServer((_request, response) => {
          response.setHeader('content-type', 'text/html')
          response.end(`<title>${title}</title><p>This is the ${title}.</p>`)
        })
      application = await show('application')
      program = await show('client')
      world = await startWorld({
        front: 'nginx',
        twoHosts: true,
        upstream: application.address,
        settings: { ENABLE_EDGE_AUTH: 'true' },
        changeNginx: addHeaders,
      })
    })
    afterAll(async () => {
      await chromium?.close()
      await world?.stop()
      await application?.close()
      await program?.close()
    })
    beforeEach(async () => {
      client = await registerClient({
        issuer: world.publicUrl,
        resource: world.mcpUrl,
        redirectUri: `http://${program.address}/callback`,
      })
      context = await chromium.newContext()
      page = await context.newPage()
    })
    afterEach(() => context.close())

    /** Lets nginx add the headers of `set` to what this browser asks for. */
    async function walk(set: string): Promise<void> {
      const hosts = [world.publicUrl, new URL(world.mcpUrl).origin]
      await context.addCookies(hosts.map((url) => ({ name: 'walk', value: set, url })))
      const answer = await page.request.get(`${world.publicUrl}/nowhere`)
      for (const [name, value] of Object.entries(ADDED[set] ?? {})) {
        const lines = answer
          .headersArray()
          .filter((line) => line.name.toLowerCase() === name.toLowerCase())
        expect(lines.map((line) => line.value)).toContain(value)
      }
    }

    it.each(SETS)('a person denies, then allows, mistypes and signs in: %s', async (set) => {
      await walk(set)
      const denied = arrivalAt(page, client.authorizationUrl())
      await page.goto(client.authorizationUrl().href)
      await page.getByRole('button', { name: 'Deny' }).click()
      expect((await denied).searchParams.get('error')).toBe('access_denied')
      await page.getByText('This is the client.').waitFor()

      const arrival = arrivalAt(page, client.authorizationUrl())
      await page.goto(client.authorizationUrl().href)
      await page.getByRole('button', { name: 'Allow' }).click()
      await typeLogin(page, { ...world.ann, password: 'a mistyped password' })
      await page.getByRole('alert').waitFor()
      await typeLogin(page, world.ann)
      const callback = await arrival
      await page.getByText('This is the client.').waitFor()
      readTokens(await client.redeem(callback))

      // The second client finds the person signed in, and asks for consent alone.
      const second = arrivalAt(page, client.authorizationUrl())
      await page.goto(client.authorizationUrl().href)
      await page.getByRole('button', { name: 'Allow' }).click()
      readTokens(await client.redeem(await second))
    })

    it.each(SETS)('a person signs in to an application, and out again: %s', async (set) => {
      await walk(set)
      await page.goto(`${world.mcpUrl}/page?a=1`)
      await typeLogin(page, world.ann)
      await page.waitForURL(`${world.mcpUrl}/page?a=1`)
      await page.getByText('This is the application.').waitFor()
      await page.goto(`${world.publicUrl}/logout`)
      const button = page.getByRole('button', { name: 'Sign out' })
      if (await button.isVisible()) await button.click()
      await page.getByText('You are signed out').first().waitFor()
    })

    it.each(SETS)('a command line gets its session: %s', async (set) => {
      await walk(set)
      const cli = await startCliListener(world.publicUrl)
      try {
        await page.goto(cli.url)
        await typeLogin(page, world.ann)
        // A policy of the site that stops scripts and forms leaves the pass, which needs neither.
        const policy = ADDED[set]?.['Content-Security-Policy'] ?? ''
        if (policy.includes('script-src') && policy.includes('form-action')) {
          await page.getByText('It does not work?').click()
          expect(await page.getByLabel('Or give this pass to the program').inputValue()).not.toBe(
            '',
          )
          return
        }
        await page.getByRole('button', { name: 'Connect to Gateway' }).click()
        expect(await cli.token).not.toBe('')
      } finally {
        await cli.close()
      }
    })
  },
)
